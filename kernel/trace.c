// SPDX-License-Identifier: GPL-2.0
/*
 * This file defines the tracepoints that trace.h declares. dtls_drop needs enum
 * dtls_count from assoc.h for its reasons.
 */
#include "assoc.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
