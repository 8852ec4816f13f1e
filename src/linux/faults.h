/*
 * SPDX-License-Identifier: MIT
 *
 * Private to the shim: what a native kqueue may do and this one by itself does not.
 */
#ifndef LINUX_FAULTS_H
#define LINUX_FAULTS_H

#include "kq.h"

/* Reads KQUEUE_FAULTS, and makes the timer if it is needed. 0, or -1 and errno. */
int kq_faults_init(struct kq *q);
uint32_t kq_faults_random(struct kq *q, uint32_t below);
/* Some of the bits, and at least one. */
uint32_t kq_faults_split(struct kq *q, uint32_t bits);
/* Keep kn, in no list so far, back for a while, where that is asked for. */
bool kq_faults_hold(struct kq *q, struct knote *kn);
/* Report it once more, much later. */
void kq_faults_echo(struct kq *q, struct knote *kn);
/* The knote goes: it has no echo any more. */
void kq_faults_forget(struct kq *q, struct knote *kn);
/* Set the timer for the first of those. */
void kq_faults_arm(struct kq *q);

#endif
