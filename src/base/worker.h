/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  What background workers have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_WORKER_H
#define XERO_WORKER_H

#include "compat.h"

#include "postmaster/bgworker.h"

/*
 * A worker of this library that runs once, and has a database.  Allocates
 * nothing, so it can be used while cleaning up.
 */
extern void xero_describe_worker(BackgroundWorker *worker, const char *name,
								 const char *function,
								 BgWorkerStartTime start_time, Datum arg);

/*
 * Settings that no database or role can have changed for the worse: what is
 * written is written, and lasts; nothing ends the worker before that.
 */
extern void xero_secure_settings(void);

#endif							/* XERO_WORKER_H */
