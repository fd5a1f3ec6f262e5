/*-------------------------------------------------------------------------
 *
 * unique.c
 *	  Which columns are unique.
 *
 * PostgreSQL leaves out a LEFT JOIN that nothing is wanted of, as in views that
 * have more than a query asks for, if a row has one partner there at most.  That
 * it believes of unique indexes only.  So a hook gives it one of the records' keys,
 * which exists nowhere else: nothing can be read by it, and foreign tables are
 * not asked for index scans.
 *
 * A key is that of one organisation.  Where the server's options do not name
 * one, it is unique together with tenant_id.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/plan/plan.h"

#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "optimizer/plancat.h"
#include "utils/rel.h"
#include "utils/typcache.h"

static get_relation_info_hook_type previous_hook = NULL;

/* A column of the table, if it is a uuid; else 0. */
static int
uuid_column(Relation rel, int attno)
{
	return TupleDescAttr(RelationGetDescr(rel), attno - 1)->atttypid == UUIDOID ?
		attno : 0;
}

/* The columns of the key, and how many they are; 0: it is not all there. */
static int
find_key(Relation rel, const XeroTable *table, int *attnos)
{
	const XeroObject *object = table->object;
	int			tenant = 0;
	int			key = 0;

	if (object->parent != NULL || object->key == NULL)
		return 0;
	for (int i = 0; i < table->natts; i++)
	{
		const XeroTableColumn *column = &table->columns[i];

		if (column->is_tenant)
			tenant = uuid_column(rel, i + 1);
		else if (column->known != NULL &&
				 strcmp(column->known->name, object->key) == 0)
			key = uuid_column(rel, i + 1);
	}
	attnos[0] = key;
	attnos[1] = tenant;
	if (key == 0)
		return 0;
	return table->one_tenant ? 1 : tenant != 0 ? 2 : 0;
}

static IndexOptInfo *
make_index(RelOptInfo *rel, const int *attnos, int count)
{
	TypeCacheEntry *type = lookup_type_cache(UUIDOID, TYPECACHE_BTREE_OPFAMILY);
	IndexOptInfo *index = makeNode(IndexOptInfo);

	index->rel = rel;
	index->ncolumns = index->nkeycolumns = count;
	index->indexkeys = palloc(sizeof(int) * count);
	index->indexcollations = palloc0(sizeof(Oid) * count);
	index->opfamily = palloc(sizeof(Oid) * count);
	index->opcintype = palloc(sizeof(Oid) * count);
	index->canreturn = palloc0(sizeof(bool) * count);
	index->relam = BTREE_AM_OID;
	for (int i = 0; i < count; i++)
	{
		index->indexkeys[i] = attnos[i];
		index->opfamily[i] = type->btree_opf;
		index->opcintype[i] = UUIDOID;
	}
	index->unique = true;
	index->immediate = true;
	index->hypothetical = true;
	return index;
}

static void
xero_relation_info(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	Relation	relation;
	int			attnos[2];
	int			count;

	if (previous_hook)
		previous_hook(root, relid, inhparent, rel);
	if (inhparent || !xero_is_foreign_table(rel))
		return;
	relation = table_open(relid, NoLock);
	count = find_key(relation, xero_get_table(relation), attnos);
	table_close(relation, NoLock);
	if (count > 0)
		rel->indexlist = lappend(rel->indexlist, make_index(rel, attnos, count));
}

void
xero_unique_init(void)
{
	previous_hook = get_relation_info_hook;
	get_relation_info_hook = xero_relation_info;
}
