/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's test harness with a time limit for slow machines: a test on an
 * emulated debug kernel, or on a machine with other work, may take minutes.
 */
#ifndef SELFTESTS_HARNESS_H
#define SELFTESTS_HARNESS_H

#include <kselftest_harness.h>

/* Seconds for each test that does not name its own. TEST_F() reads it late. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	240

#endif
