/*-------------------------------------------------------------------------
 *
 * modify.h
 *	  State of a running INSERT, UPDATE or DELETE.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_MODIFY_H
#define XERO_MODIFY_H

#include "compat.h"

#include "api/call/write.h"
#include "api/report/progress.h"
#include "catalog/writes.h"
#include "fdw/fdw.h"
#include "fdw/plan_calls.h"
#include "fdw/write/answer.h"
#include "fdw/write/row_error.h"
#include "json/reader.h"
#include "json/writer.h"
#include "lib/stringinfo.h"
#include "nodes/execnodes.h"

/* Bytes of a request; Xero takes 3.5 MB. */
#define XERO_MAX_BODY (3 * 1000 * 1000)

/* Why a row was refused whose record, or whose parent, is gone. */
#define XERO_NO_SUCH_RECORD "There is no such record any more."

/*
 * Members of fdw_private of a foreign ModifyTable, or of the ForeignScan that
 * writes below one (direct.c), in this order.
 */
typedef enum XeroModifyPrivate
{
	XERO_MODIFY_COLUMNS,		/* IntList: attributes that UPDATE sets */
	XERO_MODIFY_RETURNING,		/* Boolean: what Xero stored is wanted */
	XERO_MODIFY_SETS_TAG		/* Boolean, of the latter: its rows count in
								 * the statement's command tag */
} XeroModifyPrivate;

/*
 * An organisation that is written to, and the rows for it that wait for their
 * request to be sent.
 */
typedef struct XeroQueue
{
	XeroOrganisation *organisation;
	XeroServer	server;			/* speaks for it */
	MemoryContext cxt;			/* of the rows */
	List	   *rows;			/* XeroPendingRow */
	size_t		bytes;
} XeroQueue;

/*
 * A row that waits; or a record that is sent for the sake of rows inside of it
 * (child_rows.c).
 */
typedef struct XeroPendingRow
{
	int			number;			/* of the row in the caller's batch */
	char	   *label;			/* the row, for people */
	char	   *element;		/* JSON in UTF-8; NULL: no member is set */
	char	   *total;			/* what a document sums up to, and should
								 * afterwards; NULL: anything */
	char	   *parent_key;		/* child tables: the parent's key */
	char	   *key;			/* UPDATE and DELETE: the record's */
	char	   *unique;			/* INSERT: what no other record has
								 * (rules->unique), or NULL */
	int			queue;			/* of its organisation */

	/* inside of a record */
	char	  **texts;			/* by member: JSON of those that are set */
	char	  **identity;		/* UPDATE and DELETE: old values, printed */
	int			place;			/* in the array that was sent; else 0 */

	List	   *parts;			/* of such a record: its rows, XeroPendingRow */
	char	   *expected;		/* what the answer should have, as "element" */
	double		rounding;		/* of a document: its total beyond the sum of
								 * its lines */
} XeroPendingRow;

/* A column that may be written. */
typedef struct XeroWriteColumn
{
	AttrNumber	attno;			/* 0 for what the table leaves out */
	const XeroColumn *known;	/* NULL for what the user declared */
} XeroWriteColumn;

typedef struct XeroChildRows XeroChildRows;
typedef struct XeroModify XeroModify;

/* What is written, and how; constant during the statement. */
typedef struct XeroModifySpec
{
	XeroTable  *table;
	const XeroObject *object;
	const XeroWriteRules *rules;
	XeroServer *server;
	CmdType		operation;
	CmdType		statement;		/* whose rows they are: what is inserted may
								 * be moved here by an UPDATE */
	bool		captured;		/* a trigger wants them in a transition table */
	TupleDesc	desc;
	AttrNumber	tenant_attno;	/* 0 if the table has no such column */
	AttrNumber	parent_attno;	/* child tables: the parent's key, else 0 */
	List	   *identity;		/* attributes that identify a row */
	int			batch;			/* rows of a request */
	int			parent_batch;	/* records of a request whose rows are written
								 * inside of them */
	bool		at_once;		/* rows of no batch do not wait for it */
	bool		unread;			/* the row was not read, and may not be there */
	const char *key;			/* idempotency key of the one request; NULL:
								 * each gets a new one */
	double		key_age;		/* then: as in XeroWriteSpec */
} XeroModifySpec;

/* How a row becomes an element. */
typedef struct XeroEncoder
{
	XeroWriteColumn *columns;	/* by member of the writer */
	XeroMember *members;
	int			nmembers;
	int			key_member;
	int			status_member;	/* -1 if not needed */
	int		   *first;			/* by member: the first one of its path, where
								 * the text of all of them is */
	bool	   *set;			/* by member: UPDATE sets it */
	XeroWriter *writer;
	char	  **texts;			/* by member; workspace */
} XeroEncoder;

/* Where the plan's rows have old values. */
typedef struct XeroOldRows
{
	AttrNumber *junk;			/* by attribute - 1: its place among the junk
								 * columns, 0 if it is not there */
	AttrNumber	whole_row;		/* UPDATE with row triggers: the old row's
								 * place among the junk columns, else 0 */
	bool		joined;			/* the plan may find a row several times */
	struct found_hash *found;	/* then: those that it has found; or NULL */
} XeroOldRows;

/* How what Xero stored becomes a row; unused without RETURNING. */
typedef struct XeroReadBack
{
	XeroReader *reader;			/* or NULL */
	XeroField  *fields;
	AttrNumber *attnos;			/* by field */
	int			nfields;
	Datum	   *values;			/* by field */
	bool	   *nulls;
} XeroReadBack;

/* The row that is being encoded. */
typedef struct XeroPresentRow
{
	int			number;			/* in the caller's batch, from 0 */
	int			counted;		/* in the statement, from 1; for its label */
} XeroPresentRow;

/*
 * Is told what became of rows.  What Xero stored is in the tally before, and
 * remembered for a transaction that rolls back.
 */
typedef struct XeroRowSink
{
	/* XeroRowError: all of one request, or the one that a check of ours made */
	void		(*refused) (struct XeroRowSink *sink, XeroModify *state,
							List *errors);

	/* one row; those of a request after all that were refused of it */
	void		(*stored) (struct XeroRowSink *sink, XeroModify *state,
						   const XeroPendingRow *row,
						   const XeroOutcome *outcome);
} XeroRowSink;

/*
 * A statement's: it raises errors, or notes them, and fetches what Xero stored.
 * Both are by number of a row in the caller's batch, and may be NULL.
 */
typedef struct XeroStatementSink
{
	XeroRowSink sink;
	int64		noted;			/* rows */
	bool	   *marks;			/* the row was refused */
	TupleTableSlot **slots;		/* the row as it was given, until Xero shows
								 * it */
	MemoryContext slots_cxt;	/* for the values of the latter */
} XeroStatementSink;

/* What the statement has done so far, and what it cost. */
typedef struct XeroTally
{
	int64		done;			/* records that it has written */
	StringInfoData names;		/* their keys, the first ones */
	bool		told;			/* an error that names them is being raised */
	XeroCallStats stats;
	XeroProgress *progress;
} XeroTally;

/*
 * Hangs off ResultRelInfo.ri_FdwState, or belongs to a push; lives in the
 * executor's context.
 */
struct XeroModify
{
	XeroModifySpec spec;
	XeroEncoder encoder;
	XeroOldRows old;
	XeroReadBack back;
	XeroChildRows *child_rows;	/* rows inside of a record, else NULL */
	XeroRowSink *sink;
	XeroPresentRow present;

	/* what waits to be sent, by organisation; NULL until the first row */
	XeroQueue  *queues;
	int			nqueues;

	/* the present request */
	MemoryContext answer_cxt;	/* it and its answer */
	XeroAnswer *answer;			/* reads outcomes */

	XeroTally	tally;
};

/*
 * in modify.c: begin a write in the current memory context, without the
 * network, each row being sent by itself or not; send what waits
 */
extern XeroModify *xero_modify_begin(Relation rel, Oid userid,
									 CmdType operation, bool singly,
									 XeroRowSink *sink);
extern void xero_modify_end(XeroModify *state);

/*
 * A statement's write, whose old rows come from the subplan; "state" is NULL in
 * EXPLAIN without ANALYZE
 */
extern XeroModify *xero_statement_begin(EState *estate, ResultRelInfo *rri,
										CmdType operation, List *set_columns,
										bool returning, bool singly,
										Plan *subplan);
extern void xero_statement_end(XeroModify *state);

/* The row that is deleted, as far as the plan has it. */
extern void xero_fill_deleted(const XeroModify *state, TupleTableSlot *slot,
							  TupleTableSlot *plan_slot);

/* in sink.c: of the present memory context */
extern XeroStatementSink *xero_statement_sink_create(void);

static inline XeroStatementSink *
xero_statement_sink(const XeroModify *state)
{
	return (XeroStatementSink *) state->sink;
}

/* A row that was sent, or would have been, for the sink. */
extern XeroRowError *xero_make_row_error(const XeroPendingRow *row,
										 const XeroOutcome *outcome);

/* A check of ours refuses the present row. */
extern void xero_refuse_row(XeroModify *state, int sqlerrcode,
							const char *label, const char *message,
							const char *detail);

/*
 * in write_plan.c: the name of a junk column with a column's old value; an ERROR
 * unless Xero offers the operation and the table allows it; and the columns (names in the catalogue)
 * of which it takes the present value
 */
extern char *xero_junk_name(Oid relid, AttrNumber attno);
extern void xero_check_operation(const XeroTable *table, CmdType operation);

/*
 * An ERROR if an option keeps the user from writing to the table; without a
 * user, if it keeps everybody.
 */
extern void xero_check_updatable(const XeroTable *table, CmdType operation,
								 Oid userid);
extern List *xero_needed_columns(const XeroTable *table, CmdType operation);

/* Why UPDATE cannot change a column, NULL if it can. */
extern const char *xero_why_fixed(const XeroTableColumn *column);

/* The attribute that holds such a column; ERROR if none does. */
extern AttrNumber xero_needed_attribute(const XeroTable *table,
										const char *column);

/* The attribute that holds a column of the catalogue, 0 if none does. */
extern AttrNumber xero_attribute_of(const XeroTable *table,
									const char *column);

/*
 * Of a document that is written: the attribute that holds its sum, 0 if none
 * does.
 */
extern AttrNumber xero_total_attribute(const XeroTable *table);

/* Those that identify a row, as far as the table has them. */
extern List *xero_identity_attributes(const XeroTable *table);

/*
 * How many rows are collected, unless each is sent by itself; and how requests
 * look, of which each has so many elements.
 */
extern int	xero_write_batch(const XeroTable *table, CmdType operation,
							 bool singly);
extern char *xero_write_path(const XeroTable *table, CmdType operation,
							 int batch, const char *parent_key, const char *key);
extern char *xero_record_path(const XeroObject *object, const char *key);

/* What makes a query that of a whole list, archived records too. */
extern void xero_append_whole_list(StringInfo query, const XeroObject *object);
extern const char *xero_write_method(const XeroTable *table,
									 CmdType operation, int batch);
extern char *xero_write_query(const XeroTable *table, CmdType operation,
							  int batch, bool backorders);

/*
 * in row.c: the element of a row, or NULL if it was noted as refused, or is
 * one that the statement has written before.  Local checks are made here.
 */
extern XeroPendingRow *xero_encode_insert(XeroModify *state,
										  TupleTableSlot *slot);
extern XeroPendingRow *xero_encode_update(XeroModify *state,
										  TupleTableSlot *slot,
										  TupleTableSlot *plan_slot);
extern XeroPendingRow *xero_encode_delete(XeroModify *state,
										  TupleTableSlot *plan_slot);

/* The row of an UPDATE as it was; NULL if that is not known. */
extern HeapTupleHeader xero_old_row(XeroModify *state,
									TupleTableSlot *plan_slot);

/* Does Xero compute a column from one of those that are set in the row? */
extern bool xero_is_computed(const XeroModify *state, const char *column);

/* in direct.c: its write, NULL in EXPLAIN without ANALYZE */
extern XeroModify *xero_direct_modify(ForeignScanState *node);

/*
 * in check_option.c: an ERROR unless the row that was encoded last is one that
 * the check options of views, and the policies of parents, let through
 */
extern void xero_check_options(XeroModify *state, EState *estate,
							   ResultRelInfo *rri, TupleTableSlot *slot);

/* in members.c: has one of the columns "a|b|c" a text? */
extern bool xero_is_any_there(const XeroEncoder *encoder, char **texts,
							  const char *columns);

/*
 * Move texts to the first member of their path.  Two columns that give one
 * member different texts are an error, which is returned; NULL if there is none.
 */
extern char *xero_join_members(const XeroEncoder *encoder, char **texts);

/* The text of an array, such that Xero has it afterwards. */
extern char *xero_array_text(const XeroColumn *column, char *text);

/*
 * in queue.c: make a queue for each organisation that the server stands for,
 * which may need the network; xero_choose_queue() does if nobody did
 */
extern void xero_make_queues(XeroModify *state);

/*
 * The queue of an organisation, "tenant" being its id as text, or
 * NULL if the row does not say; -1 if the row was noted as refused
 */
extern int	xero_choose_queue(XeroModify *state, const char *tenant,
							  const char *label);

/* Queue a row, sending what is full; send what waits. */
extern void xero_queue_row(XeroModify *state, XeroPendingRow *row);
extern void xero_send_pending(XeroModify *state);

/*
 * Send rows as one request; ERROR if one cannot hold them.  Outcomes stay
 * until the write ends.
 */
extern void xero_send_together(XeroModify *state, List *rows);

/* in send.c: send some rows, or records, of a queue in one request */
extern void xero_send_request(XeroModify *state, const XeroQueue *queue,
							  List *rows);

/* Labels of rows, the first ones; and an ERROR if one is beyond any request. */
extern char *xero_make_subject(List *rows);
extern void xero_check_size(const XeroModify *state,
							const XeroPendingRow *row);

/*
 * in read_back.c: let what Xero stored be read back; what it shows of a row that
 * it stored (outcome->record is not NULL), as a row of the table, in the current
 * memory context
 */
extern void xero_modify_read_back(XeroModify *state);
extern void xero_read_record(XeroModify *state, const XeroPendingRow *row,
							 const XeroOutcome *outcome, TupleTableSlot *slot);

/*
 * in taken.c: new rows without those whose number is taken, which are refused;
 * and the query that asks about numbers, "where" being encoded
 */
extern List *xero_refuse_taken(XeroModify *state, const XeroQueue *queue,
							   List *rows);
extern char *xero_taken_query(const XeroObject *object, const char *where);

/*
 * in verify.c: warn of what Xero has stored otherwise than it was told; what it
 * has not ended after all is refused
 */
extern void xero_verify_row(const XeroModify *state,
							const XeroPendingRow *row, XeroOutcome *outcome);

/* What an answer of status 200 to the DELETE method says. */
extern XeroOutcome *xero_verify_deletion(const XeroResponse *response);

/*
 * in child_rows.c: what rows inside of records need; how many records are read and
 * written at once, and how the first is done; and writing rows that wait, one
 * group for each record
 */
extern XeroChildRows *xero_child_rows_create(XeroModify *state);
extern int	xero_parent_batch(const XeroTable *table);
extern char *xero_parent_request(const XeroTable *table, List *keys,
								 char **query);
extern void xero_child_rows_send(XeroModify *state, const XeroQueue *queue,
								 List *groups);

/* in write_explain.c: how a write tells its calls; the result relation goes along */
extern const XeroCallingKind xero_write_calls;

#endif							/* XERO_MODIFY_H */
