/*-------------------------------------------------------------------------
 *
 * xact.c
 *	  What the present transaction has written to Xero.
 *
 * Xero knows no transactions: what it has stored, ROLLBACK does not undo.  So
 * whoever rolls back is told what stays, and two-phase commit, which promises
 * that both ways are open, is refused.
 *
 * The list lives in TopTransactionContext and is gone with it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/xact.h"

#include "access/xact.h"
#include "api/call/write.h"
#include "utils/memutils.h"

/* Records of one table, written by one (sub)transaction in one way. */
typedef struct Written
{
	int			level;			/* nesting of the transaction */
	char	   *table;
	CmdType		operation;
	int64		count;
	StringInfoData keys;		/* the first XERO_MAX_NAMED */
} Written;

static List *written = NIL;

const char *
xero_operation_verb(CmdType operation)
{
	switch (operation)
	{
		case CMD_INSERT:
			return "inserted into";
		case CMD_UPDATE:
			return "updated in";
		default:
			return "deleted from";
	}
}

void
xero_append_name(StringInfo names, int64 count, const char *key)
{
	if (count <= XERO_MAX_NAMED)
		appendStringInfo(names, "%s%s", count > 1 ? ", " : "", key);
	else if (count == XERO_MAX_NAMED + 1)
		appendStringInfoString(names, ", ...");
}

void
xero_xact_wrote(const char *table, CmdType operation, const char *key)
{
	int			level = GetCurrentTransactionNestLevel();
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Written    *last = written == NIL ? NULL : llast(written);

	if (last == NULL || last->level != level ||
		last->operation != operation || strcmp(last->table, table) != 0)
	{
		last = palloc0(sizeof(Written));
		last->level = level;
		last->table = pstrdup(table);
		last->operation = operation;
		initStringInfo(&last->keys);
		written = lappend(written, last);
	}
	last->count++;
	xero_append_name(&last->keys, last->count, key);
	MemoryContextSwitchTo(old);
}

/* Is there anything that a rollback of this nesting level leaves behind? */
static bool
leaves_something(int level)
{
	ListCell   *lc;

	foreach(lc, written)
	{
		if (((Written *) lfirst(lc))->level >= level)
			return true;
	}
	return xero_write_doubtful()[0] != '\0';
}

/* What a rollback of this nesting level leaves behind, in words. */
static char *
describe_rest(int level)
{
	StringInfoData detail;
	ListCell   *lc;

	initStringInfo(&detail);
	foreach(lc, written)
	{
		Written    *entry = lfirst(lc);

		if (entry->level < level)
			continue;
		appendStringInfo(&detail, "%s%lld %s foreign table \"%s\": %s.",
						 detail.len > 0 ? "\n" : "",
						 (long long) entry->count,
						 xero_operation_verb(entry->operation), entry->table,
						 entry->keys.data);
	}
	if (xero_write_doubtful()[0] != '\0')
		appendStringInfo(&detail, "%sA write may have been carried out whose answer was not read: %s.",
						 detail.len > 0 ? "\n" : "", xero_write_doubtful());
	return detail.data;
}

/*
 * Tell of that.  Every transaction of the backend that fails comes here.  For
 * an error in here PostgreSQL would abort the transaction once more, and again,
 * until it panics, so the second time nothing is told.
 */
static void
warn_of_rollback(int level)
{
	static bool telling = false;

	if (!telling && leaves_something(level))
	{
		telling = true;
		ereport(WARNING,
				(errmsg("rollback does not undo what was written to Xero"),
				 errdetail_internal("%s", describe_rest(level))));
	}
	telling = false;
	xero_write_forget();
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (written != NIL)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has written to Xero")));
			break;
		case XACT_EVENT_ABORT:
			warn_of_rollback(0);
			written = NIL;
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			written = NIL;
			xero_write_forget();
			break;
		default:
			break;
	}
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId mySubid,
					  SubTransactionId parentSubid, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	ListCell   *lc;

	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		warn_of_rollback(level);
		foreach(lc, written)
		{
			if (((Written *) lfirst(lc))->level >= level)
				written = foreach_delete_current(written, lc);
		}
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		foreach(lc, written)
		{
			Written    *entry = lfirst(lc);

			if (entry->level >= level)
				entry->level = level - 1;
		}
	}
}

void
xero_xact_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}
