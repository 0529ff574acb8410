/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kselftest's harness. Its limit of 30 s a test is too short for a kernel that
 * looks for faults; the guest has a limit of its own.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include "kselftest_harness.h"
#include "deadline.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

#endif /* HARNESS_H */
