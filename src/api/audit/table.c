/*-------------------------------------------------------------------------
 *
 * table.c
 *	  The table of the audit.
 *
 * A row is made before what it tells of, and completed afterwards.  Only
 * background workers come here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/audit/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* So many old rows are deleted at a time. */
#define FORGET_AT_ONCE 1000

#define MAX_PARAMETERS 17

/* A statement that is kept, with the values of its parameters. */
typedef struct Statement
{
	SPIPlanPtr	plan;
	int			count;
	Oid			types[MAX_PARAMETERS];
	Datum		values[MAX_PARAMETERS];
	char		nulls[MAX_PARAMETERS + 1];
} Statement;

static void
add(Statement *statement, Oid type, Datum value, bool isnull)
{
	int			n = statement->count++;

	Assert(n < MAX_PARAMETERS);
	statement->types[n] = type;
	statement->values[n] = value;
	statement->nulls[n] = isnull ? 'n' : ' ';
}

static void
add_text(Statement *statement, const char *text)
{
	bool		isnull = text[0] == '\0';

	add(statement, TEXTOID, isnull ? (Datum) 0 : CStringGetTextDatum(text),
		isnull);
}

static void
add_number(Statement *statement, int number)
{
	add(statement, INT4OID, Int32GetDatum(number), number == 0);
}

static void
add_time(Statement *statement, TimestampTz at)
{
	add(statement, TIMESTAMPTZOID, TimestampTzGetDatum(at), at == 0);
}

static void
add_keys(Statement *statement, const XeroAuditKeys *keys)
{
	Datum	   *texts = palloc(sizeof(Datum) * Max(keys->count, 1));
	const char *key = keys->text;

	for (int i = 0; i < keys->count; i++)
	{
		texts[i] = CStringGetTextDatum(key);
		key += strlen(key) + 1;
	}
	add(statement, TEXTARRAYOID,
		PointerGetDatum(construct_array(texts, keys->count, TEXTOID, -1,
										false, TYPALIGN_INT)), false);
}

static void
add_end(Statement *statement, const XeroAuditMessage *message)
{
	add_number(statement, message->end.status);
	add_text(statement, message->end.error);
	add_text(statement, message->end.correlation_id);
	add_time(statement, message->end.at);
	add_keys(statement, &message->keys);
}

static void
execute(Statement *statement, const char *sql, int expected)
{
	int			result;

	if (statement->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(sql, statement->count,
									   statement->types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_prepare failed: %s",
				 SPI_result_code_string(SPI_result));
		statement->plan = plan;
	}
	result = SPI_execute_plan(statement->plan, statement->values,
							  statement->nulls, false, 0);
	if (result != expected)
		elog(ERROR, "SPI_execute_plan failed: %s",
			 SPI_result_code_string(result));
}

static void
begin(void)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static void
end(void)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PopActiveSnapshot();
}

static void
insert_row(XeroAuditMessage *message)
{
	static Statement insert;
	const XeroAuditEntry *entry = &message->entry;
	bool		isnull;

	insert.count = 0;
	add_time(&insert, entry->at);
	add_text(&insert, xero_audit_event_name(entry->event));
	add_text(&insert, entry->role);
	add_text(&insert, entry->session_role);
	add_text(&insert, entry->application);
	add_number(&insert, entry->pid);
	add_text(&insert, entry->server);
	add_text(&insert, entry->tenant_id);
	add_text(&insert, entry->method);
	add_text(&insert, entry->path);
	add_number(&insert, entry->attempt);
	add_text(&insert, entry->idempotency_key);
	add_end(&insert, message);
	execute(&insert,
			"INSERT INTO xero_fdw.audit_entry (at, event, role, session_role, application_name,"
			" pid, server, tenant_id, method, path, attempt, idempotency_key,"
			" status, error, correlation_id, finished_at, record_keys)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
			" $14, $15, $16, $17) RETURNING entry_id",
			SPI_OK_INSERT_RETURNING);
	message->entry_id =
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
									SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

/* The end has come, or there are more keys. */
static void
complete_row(const XeroAuditMessage *message)
{
	static Statement update;

	update.count = 0;
	add_end(&update, message);
	add(&update, INT8OID, Int64GetDatum(message->entry_id), false);
	execute(&update,
			"UPDATE xero_fdw.audit_entry SET"
			" status = coalesce($1, status), error = coalesce($2, error),"
			" correlation_id = coalesce($3, correlation_id),"
			" finished_at = coalesce($4, finished_at),"
			" record_keys = record_keys || $5"
			" WHERE entry_id = $6",
			SPI_OK_UPDATE);
}

void
xero_audit_store(XeroAuditMessage *messages, int count)
{
	begin();
	for (int i = 0; i < count; i++)
	{
		if (messages[i].entry_id == 0)
			insert_row(&messages[i]);
		else
			complete_row(&messages[i]);
	}
	end();
}

bool
xero_audit_forget(int days)
{
	static Statement delete;
	bool		more;

	begin();
	delete.count = 0;
	add(&delete, INT4OID, Int32GetDatum(days), false);
	add(&delete, INT4OID, Int32GetDatum(FORGET_AT_ONCE), false);
	execute(&delete,
			"DELETE FROM xero_fdw.audit_entry WHERE entry_id = ANY (ARRAY("
			"SELECT entry_id FROM xero_fdw.audit_entry"
			" WHERE at < now() - make_interval(days => $1)"
			" ORDER BY at LIMIT $2))",
			SPI_OK_DELETE);
	more = SPI_processed == FORGET_AT_ONCE;
	end();
	return more;
}
