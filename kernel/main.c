// SPDX-License-Identifier: GPL-2.0
/* The module is loaded and unloaded here. */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "scratch.h"
#include "stats.h"
#include "ulp.h"

static int __init dtls_init(void)
{
	int err = dtls_stats_init();

	if (err)
		return err;
	err = dtls_ulp_init();
	if (err) {
		dtls_stats_exit();
		return err;
	}
	return 0;
}

/* No socket is attached any more, as each attached socket pins the module. */
static void __exit dtls_exit(void)
{
	dtls_ulp_exit();
	/* A softirq may still be on its way out of dtls_wait_data_ready(). */
	synchronize_rcu();
	/* Epochs are freed by RCU. */
	rcu_barrier();
	dtls_stats_exit();
	dtls_scratch_exit();
}

module_init(dtls_init);
module_exit(dtls_exit);

MODULE_AUTHOR("The kernel DTLS authors");
MODULE_DESCRIPTION("DTLS record layer for UDP sockets");
MODULE_LICENSE("GPL");
MODULE_VERSION(DTLS_VERSION);
MODULE_SOFTDEP("post: aesni_intel ccm chacha20poly1305");
