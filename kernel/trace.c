// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of trace.h. Their names for drops are those of enum
 * dtls_count.
 */
#include "assoc.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
