/*-------------------------------------------------------------------------
 *
 * row_error.c
 *	  Rows that were not written, and why.
 *
 * Either a statement stops at the first request of which rows were refused,
 * with one error for all of them, or (xero_fdw.on_row_error) it goes on and
 * they are noted in a list that the session keeps, whatever becomes of its
 * transactions.  The list is in memory of its own, the oldest entries go first.
 * A role sees the rows that it has written, and not those of another role that
 * the session is or was: they may be none of its business.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/row_error.h"

#include "base/text.h"
#include "fdw/write/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* So many rows are shown in one error. */
#define MAX_SHOWN 10

/* So many the session keeps. */
#define MAX_KEPT 10000

typedef enum OnRowError
{
	ON_ROW_ERROR_ERROR,
	ON_ROW_ERROR_LOG
} OnRowError;

static const struct config_enum_entry on_row_error_words[] = {
	{"error", ON_ROW_ERROR_ERROR, false},
	{"log", ON_ROW_ERROR_LOG, false},
	{NULL, 0, false}
};

/* A row of xero_fdw.write_errors; the strings are in the same chunk's context. */
typedef struct KeptError
{
	TimestampTz at;
	Oid			roleid;
	char	   *table;
	CmdType		operation;
	int			sqlerrcode;
	char	   *label;
	char	   *message;
	char	   *values;			/* or NULL */
} KeptError;

static int	on_row_error = ON_ROW_ERROR_ERROR;
static MemoryContext kept_cxt = NULL;
static List *kept = NIL;

PG_FUNCTION_INFO_V1(xero_write_errors);

void
xero_row_error_init(void)
{
	DefineCustomEnumVariable("xero_fdw.on_row_error",
							 "What becomes of a statement that writes a row which Xero refuses.",
							 "\"error\" ends it; \"log\" goes on, and puts the row into xero_fdw.write_errors.",
							 &on_row_error, ON_ROW_ERROR_ERROR,
							 on_row_error_words,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}

bool
xero_row_errors_are_logged(void)
{
	return on_row_error == ON_ROW_ERROR_LOG;
}

int
xero_classify_message(const char *message)
{
	static const struct
	{
		const char *words;
		int			sqlerrcode;
	}			kinds[] =
	{
		{"must be unique", ERRCODE_UNIQUE_VIOLATION},
		{"unique name", ERRCODE_UNIQUE_VIOLATION},
		{"unique code", ERRCODE_UNIQUE_VIOLATION},
		{"unique number", ERRCODE_UNIQUE_VIOLATION},
		{"already assigned", ERRCODE_UNIQUE_VIOLATION},
		{"already exists", ERRCODE_UNIQUE_VIOLATION},
		{"already in use", ERRCODE_UNIQUE_VIOLATION},
		{"must be specified", ERRCODE_NOT_NULL_VIOLATION},
		{"must be supplied", ERRCODE_NOT_NULL_VIOLATION},
		{"is mandatory", ERRCODE_NOT_NULL_VIOLATION},
		{"is required", ERRCODE_NOT_NULL_VIOLATION},
		{"are required", ERRCODE_NOT_NULL_VIOLATION},
		{"cannot be empty", ERRCODE_NOT_NULL_VIOLATION},
		{"must not be empty", ERRCODE_NOT_NULL_VIOLATION},
	};

	for (int i = 0; i < lengthof(kinds); i++)
	{
		if (xero_contains(message, kinds[i].words))
			return kinds[i].sqlerrcode;
	}
	return ERRCODE_CHECK_VIOLATION;
}

char *
xero_join_messages(List *messages, const char *separator)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, messages)
		appendStringInfo(&text, "%s%s", text.len > 0 ? separator : "",
						 (char *) lfirst(lc));
	return text.data;
}

/* What can be done about it; NULL if we do not know. */
static const char *
hint_for(const char *message)
{
	if (xero_contains(message, "tax amount") ||
		xero_contains(message, "taxamount"))
		return "Xero computes taxes itself: leave tax amounts out.";
	return NULL;
}

void
xero_row_errors_raise(const char *table, CmdType operation, List *errors,
					  int64 done, const char *names, const char *hint)
{
	const XeroRowError *first = linitial(errors);
	StringInfoData detail;
	int			shown = 0;
	ListCell   *lc;

	if (hint == NULL)
		hint = hint_for(linitial(first->outcome.messages));
	initStringInfo(&detail);
	foreach(lc, errors)
	{
		const XeroRowError *error = lfirst(lc);

		if (shown == MAX_SHOWN)
		{
			appendStringInfo(&detail, "\n... and %d rows more.",
							 list_length(errors) - shown);
			break;
		}
		appendStringInfo(&detail, "%s%s: %s", shown++ > 0 ? "\n" : "",
						 error->label, xero_join_messages(error->outcome.messages, " | "));
	}
	if (done > 0)
		appendStringInfo(&detail, "\nWritten by this statement already, and not undone by ROLLBACK: "
						 "%lld %s foreign table \"%s\": %s.",
						 (long long) done, xero_operation_verb(operation), table, names);

	CHECK_FOR_INTERRUPTS();
	ereport(ERROR,
			(errcode(first->outcome.sqlerrcode),
			 list_length(errors) == 1 ?
			 errmsg("a row of foreign table \"%s\" was refused: %s", table,
					(char *) linitial(first->outcome.messages)) :
			 errmsg("%d rows of foreign table \"%s\" were refused: %s",
					list_length(errors), table,
					(char *) linitial(first->outcome.messages)),
			 errdetail_internal("%s", detail.data),
			 hint ? errhint("%s", hint) : 0));
}

static void
free_kept(KeptError *entry)
{
	pfree(entry->table);
	pfree(entry->label);
	pfree(entry->message);
	if (entry->values)
		pfree(entry->values);
	pfree(entry);
}

void
xero_row_errors_log(const char *table, CmdType operation, List *errors)
{
	MemoryContext old;
	ListCell   *lc;

	if (kept_cxt == NULL)
		kept_cxt = AllocSetContextCreate(TopMemoryContext,
										 "Xero write errors",
										 ALLOCSET_DEFAULT_SIZES);
	foreach(lc, errors)
	{
		const XeroRowError *error = lfirst(lc);
		char	   *message = xero_join_messages(error->outcome.messages, " | ");
		KeptError  *entry;

		old = MemoryContextSwitchTo(kept_cxt);
		entry = palloc0(sizeof(KeptError));
		entry->at = GetCurrentTimestamp();
		entry->roleid = GetUserId();
		entry->table = pstrdup(table);
		entry->operation = operation;
		entry->sqlerrcode = error->outcome.sqlerrcode;
		entry->label = pstrdup(error->label);
		entry->message = pstrdup(message);
		entry->values = error->values ? pstrdup(error->values) : NULL;
		kept = lappend(kept, entry);
		if (list_length(kept) > MAX_KEPT)
		{
			free_kept(linitial(kept));
			kept = list_delete_first(kept);
		}
		MemoryContextSwitchTo(old);
	}
}

/* SQL: the rows of xero_fdw.write_errors. */
Datum
xero_write_errors(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, kept)
	{
		const KeptError *entry = lfirst(lc);
		Datum		values[7];
		bool		nulls[7] = {0};

		if (!has_privs_of_role(GetUserId(), entry->roleid))
			continue;
		values[0] = TimestampTzGetDatum(entry->at);
		values[1] = CStringGetTextDatum(entry->table);
		values[2] = CStringGetTextDatum(entry->operation == CMD_INSERT ? "INSERT" :
										entry->operation == CMD_UPDATE ? "UPDATE" : "DELETE");
		values[3] = CStringGetTextDatum(entry->label);
		values[4] = CStringGetTextDatum(unpack_sql_state(entry->sqlerrcode));
		values[5] = CStringGetTextDatum(entry->message);
		nulls[6] = entry->values == NULL;
		values[6] = nulls[6] ? (Datum) 0 :
			DirectFunctionCall1(jsonb_in, CStringGetDatum(entry->values));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
