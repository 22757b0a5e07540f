/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions register the option DTLS_ULP, which attaches a socket. See
 * ulp.c.
 */
#ifndef _DTLS_ULP_H
#define _DTLS_ULP_H

int __must_check dtls_ulp_init(void);
void dtls_ulp_exit(void);

#endif /* _DTLS_ULP_H */
