// SPDX-License-Identifier: GPL-2.0
/* This file has the functions that load and unload the module. */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "assoc.h"
#include "mask.h"
#include "scratch.h"
#include "stats.h"
#include "transform.h"
#include "ulp.h"

static int __init dtls_init(void)
{
	int err = dtls_stats_init();

	if (err)
		return err;
	err = dtls_assoc_setup();
	if (err)
		goto no_assocs;
	err = dtls_transform_setup();
	if (err)
		goto no_transforms;
	err = dtls_mask_setup();
	if (err)
		goto no_masks;
	err = dtls_ulp_init();
	if (!err)
		return 0;

	dtls_mask_exit();
no_masks:
	dtls_transform_exit();
no_transforms:
	dtls_assoc_exit();
no_assocs:
	dtls_stats_exit();
	return err;
}

/*
 * Each attached socket pins the module, so no socket is attached when the module is
 * unloaded.
 */
static void __exit dtls_exit(void)
{
	dtls_ulp_exit();
	/* A softirq may still be on its way out of dtls_wait_data_ready(). */
	synchronize_rcu();
	/* The callbacks that free the last associations must be over. */
	rcu_barrier();
	dtls_assoc_exit();
	dtls_stats_exit();
	dtls_scratch_exit();
	dtls_mask_exit();
	dtls_transform_exit();
}

module_init(dtls_init);
module_exit(dtls_exit);

MODULE_AUTHOR("The kernel DTLS authors");
MODULE_DESCRIPTION("DTLS record layer for UDP sockets");
MODULE_LICENSE("GPL");
MODULE_VERSION(DTLS_VERSION);
MODULE_SOFTDEP("post: aesni_intel ccm chacha20poly1305");
