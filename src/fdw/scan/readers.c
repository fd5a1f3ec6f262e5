/*-------------------------------------------------------------------------
 *
 * readers.c
 *	  Scans of one statement that read the same list.
 *
 * A list may stand in a statement twice, or together with what is inside of its
 * records.  Such scans have a cache of pages in common.  For that they have to
 * ask alike: if one of those that ask the same questions needs the full form of
 * the list, all of them take it.
 *
 * Scans are known here from their beginning, which is before any of them runs,
 * to the end of their statement: a statement is an EState.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/scan/scan.h"

#include "api/call/page_cache.h"
#include "utils/memutils.h"

typedef struct Reader
{
	ForeignScanState *node;
	Oid			serverid;
	Oid			userid;
	const XeroObject *root;
	int			levels;			/* XeroRequestOptions.levels */
	bool		alone;			/* nobody else reads the list */
	bool		repeats;		/* asks for what one before it asks for */
} Reader;

/* A statement's; in its context. */
typedef struct Readers
{
	struct Readers *next;
	EState	   *estate;
	MemoryContextCallback callback;
	List	   *readers;
	XeroPageCache *cache;		/* NULL before it is needed */
} Readers;

static Readers *statements = NULL;

static Readers *
find_readers(const EState *estate)
{
	Readers    *readers = statements;

	while (readers != NULL && readers->estate != estate)
		readers = readers->next;
	return readers;
}

/* Reset callback: the statement has ended. */
static void
end_statement(void *arg)
{
	Readers   **link = &statements;

	while (*link != arg)
		link = &(*link)->next;
	*link = (*link)->next;
}

static Readers *
begin_statement(EState *estate)
{
	Readers    *readers = MemoryContextAllocZero(estate->es_query_cxt,
												 sizeof(Readers));

	readers->estate = estate;
	readers->callback.func = end_statement;
	readers->callback.arg = readers;
	MemoryContextRegisterResetCallback(estate->es_query_cxt,
									   &readers->callback);
	readers->next = statements;
	statements = readers;
	return readers;
}

static Reader *
find_reader(const ForeignScanState *node)
{
	ListCell   *lc;

	foreach(lc, find_readers(node->ss.ps.state)->readers)
	{
		Reader	   *reader = lfirst(lc);

		if (reader->node == node)
			return reader;
	}
	return NULL;
}

static void *
settled(const Reader *reader, XeroScanPrivate which)
{
	return list_nth(((ForeignScan *) reader->node->ss.ps.plan)->fdw_private,
					which);
}

/* Do both ask for the same records? */
static bool
ask_alike(const Reader *a, const Reader *b)
{
	List	   *sent = settled(a, XERO_SCAN_SENT);

	return settled(a, XERO_SCAN_COUNTS) == NIL &&
		settled(b, XERO_SCAN_COUNTS) == NIL &&
		equal(sent, settled(b, XERO_SCAN_SENT)) &&
		(sent == NIL || equal(settled(a, XERO_SCAN_ASKED),
							  settled(b, XERO_SCAN_ASKED))) &&
		equal(((ForeignScan *) a->node->ss.ps.plan)->fdw_exprs,
			  ((ForeignScan *) b->node->ss.ps.plan)->fdw_exprs);
}

static void
take_same_form(Reader *a, Reader *b)
{
	if (!(a->levels & b->levels & XERO_LEVEL_SUMMARY))
	{
		a->levels &= ~XERO_LEVEL_SUMMARY;
		b->levels &= ~XERO_LEVEL_SUMMARY;
	}
}

/* Do both ask for the same pages of them? */
static bool
ask_for_same(const Reader *a, const Reader *b)
{
	return ask_alike(a, b) &&
		equal(settled(a, XERO_SCAN_ORDER), settled(b, XERO_SCAN_ORDER)) &&
		equal(settled(a, XERO_SCAN_PAGE_SIZE), settled(b, XERO_SCAN_PAGE_SIZE)) &&
		equal(settled(a, XERO_SCAN_WINDOW), settled(b, XERO_SCAN_WINDOW));
}

void
xero_add_reader(ForeignScanState *node, const XeroTable *table, Oid userid)
{
	EState	   *estate = node->ss.ps.state;
	Readers    *readers = find_readers(estate);
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	Reader	   *reader = palloc(sizeof(Reader));
	ListCell   *lc;

	if (readers == NULL)
		readers = begin_statement(estate);
	reader->node = node;
	reader->serverid = table->serverid;
	reader->userid = userid;
	reader->root = xero_root_object(table->object);
	reader->levels = intVal(settled(reader, XERO_SCAN_LEVELS));
	reader->alone = true;
	reader->repeats = false;
	foreach(lc, readers->readers)
	{
		Reader	   *other = lfirst(lc);

		if (other->serverid != reader->serverid ||
			other->userid != reader->userid || other->root != reader->root)
			continue;
		reader->alone = other->alone = false;
		if (ask_alike(reader, other))
			take_same_form(reader, other);
		reader->repeats = reader->repeats || ask_for_same(reader, other);
	}
	readers->readers = lappend(readers->readers, reader);
	MemoryContextSwitchTo(old);
}

int
xero_reader_levels(const ForeignScanState *node)
{
	return find_reader(node)->levels;
}

XeroPageCache *
xero_reader_cache(const ForeignScanState *node)
{
	Readers    *readers = find_readers(node->ss.ps.state);

	if (find_reader(node)->alone)
		return NULL;
	if (readers->cache == NULL)
		readers->cache = xero_page_cache_create(readers->estate->es_query_cxt);
	return readers->cache;
}

bool
xero_reader_repeats(const ForeignScanState *node)
{
	return find_reader(node)->repeats && xero_reader_cache(node) != NULL;
}
