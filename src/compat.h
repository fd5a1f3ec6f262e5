/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  The one place that tests PG_VERSION_NUM.
 *
 * Shims are named after, and behave like, the newest supported API, so that
 * the rest of the code reads as if only that version existed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_COMPAT_H
#define XERO_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "xero_fdw supports PostgreSQL 15 to 18"
#endif

/*
 * 18 puts its word for functions that do not return before their declaration,
 * as C11 does.
 */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * Waiting (src/api).  Before 17, wait events of extensions have no names, and
 * a wait event set belonged to a memory context instead of a resource owner;
 * here they always live as long as the backend (owner NULL).
 */
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 170000
static inline uint32
WaitEventExtensionNew(const char *wait_event_name)
{
	return PG_WAIT_EXTENSION;
}

/* 17 gave backends numbers of their own name. */
#define MyProcNumber (MyProc->pgprocno)

#define CreateWaitEventSet(resowner, nevents) \
	((void) (resowner), (CreateWaitEventSet) (TopMemoryContext, nevents))
#endif

/*
 * Shared memory (src/api).  Since 17 a library can have some without being
 * preloaded.
 */
#if PG_VERSION_NUM >= 170000
#define XERO_HAVE_DSM_REGISTRY 1
#endif

/* The background worker (src/fdw).  Since 17 a transaction can be timed out. */
#if PG_VERSION_NUM >= 170000
#define XERO_HAVE_TRANSACTION_TIMEOUT 1
#endif

/*
 * Rights on servers (src/fdw).  16 has one function for all kinds of objects.
 */
#if PG_VERSION_NUM < 160000
#define object_aclcheck(classid, objectid, roleid, mode) \
	((void) (classid), pg_foreign_server_aclcheck(objectid, roleid, mode))
#define object_ownercheck(classid, objectid, roleid) \
	((void) (classid), pg_foreign_server_ownercheck(objectid, roleid))
#endif

/*
 * Planning and running (src/fdw).  17 and 18 added arguments to the
 * making of paths that this extension has no use for; since 16 the plan says
 * whose rights count, before that the range table entry, for writes as well.  18 tells the
 * direction of a path key without the strategies of btree, and moved the
 * state of EXPLAIN to headers of its own.
 */
#if PG_VERSION_NUM >= 180000
#define XERO_NO_DISABLED_NODES	0,
#else
#define XERO_NO_DISABLED_NODES
#endif

#if PG_VERSION_NUM >= 170000
#define xero_create_foreignscan_path(root, rel, rows, startup, total, pathkeys, outer, private) \
	create_foreignscan_path(root, rel, NULL, rows, XERO_NO_DISABLED_NODES startup, total, pathkeys, outer, NULL, NIL, private)
#else
#define xero_create_foreignscan_path(root, rel, rows, startup, total, pathkeys, outer, private) \
	create_foreignscan_path(root, rel, NULL, rows, startup, total, pathkeys, outer, NULL, private)
#endif

#if PG_VERSION_NUM >= 170000
#define xero_create_foreign_upper_path(root, rel, target, rows, startup, total, private) \
	create_foreign_upper_path(root, rel, target, rows, XERO_NO_DISABLED_NODES startup, total, NIL, NULL, NIL, private)
#else
#define xero_create_foreign_upper_path(root, rel, target, rows, startup, total, private) \
	create_foreign_upper_path(root, rel, target, rows, startup, total, NIL, NULL, private)
#endif

#if PG_VERSION_NUM >= 160000
#define xero_check_as_user(node) \
	(((ForeignScan *) (node)->ss.ps.plan)->checkAsUser)
#else
#define xero_check_as_user(node) \
	(exec_rt_fetch(bms_next_member(((ForeignScan *) (node)->ss.ps.plan)->fs_relids, -1), \
				   (node)->ss.ps.state)->checkAsUser)
#endif

#if PG_VERSION_NUM >= 160000
#define xero_modify_user(rri, estate) ExecGetResultRelCheckAsUser(rri, estate)
#else
#define xero_modify_rte(rri, estate) \
	exec_rt_fetch((rri)->ri_RangeTableIndex != 0 ? (rri)->ri_RangeTableIndex : \
				  (rri)->ri_RootResultRelInfo->ri_RangeTableIndex, estate)
#define xero_modify_user(rri, estate) \
	(OidIsValid(xero_modify_rte(rri, estate)->checkAsUser) ? \
	 xero_modify_rte(rri, estate)->checkAsUser : GetUserId())
#endif

#if PG_VERSION_NUM >= 180000
#define xero_pathkey_descends(pathkey) ((pathkey)->pk_cmptype == COMPARE_GT)
#else
#define xero_pathkey_descends(pathkey) \
	((pathkey)->pk_strategy == BTGreaterStrategyNumber)
#endif

#if PG_VERSION_NUM >= 180000
#define XERO_EXECUTE_ONCE_PARAM
#define XERO_EXECUTE_ONCE
#else
#define XERO_EXECUTE_ONCE_PARAM , bool execute_once
#define XERO_EXECUTE_ONCE , execute_once
#endif

#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* Columns (src/fdw).  18 has generated ones that are not stored. */
#if PG_VERSION_NUM < 180000
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

/*
 * Decoding JSON strings (src/json).  The lexer's constructor gained an
 * argument in 17, the report of its errors was renamed in 16.
 */
#include "common/jsonapi.h"

static inline JsonLexContext *
xero_json_lexer(const char *json, size_t len, int encoding, bool need_escapes)
{
#if PG_VERSION_NUM >= 170000
	return makeJsonLexContextCstringLen(NULL, json, len, encoding,
										need_escapes);
#else
	return makeJsonLexContextCstringLen((char *) json, (int) len, encoding,
										need_escapes);
#endif
}

#if PG_VERSION_NUM < 160000
#define json_errsave_error(error, lex, escontext) \
	json_ereport_error(error, lex)
#endif

#endif							/* XERO_COMPAT_H */
