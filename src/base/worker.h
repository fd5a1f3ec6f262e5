/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  Settings of background workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_WORKER_H
#define XERO_WORKER_H

#include "compat.h"

/*
 * Settings that no database or role can have changed for the worse: what is
 * written is written, and lasts; nothing ends the worker before that.
 */
extern void xero_secure_settings(void);

#endif							/* XERO_WORKER_H */
