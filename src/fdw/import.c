/*-------------------------------------------------------------------------
 *
 * import.c
 *	  IMPORT FOREIGN SCHEMA: the catalogue as CREATE FOREIGN TABLE commands.
 *
 * No call to Xero is made: what an organisation can contain is the same for
 * all of them, and is in the catalogue.
 *
 * Comments.  PostgreSQL accepts nothing but CREATE FOREIGN TABLE from a
 * foreign-data wrapper here, so COMMENT cannot be among the commands.  But it
 * runs each of them as a subcommand through ProcessUtility, and looks at
 * ProcessUtility_hook every time.  Our hook sets the comments right after each
 * table's creation.  This works in the session that loads the library by the
 * very IMPORT, too: the library is loaded when the server's handler is looked
 * up, which is before the first subcommand.  An event trigger would need a
 * superuser's consent in every database and would fire for all DDL; a
 * function to be called afterwards would be forgotten.
 *
 * Only tables made by an IMPORT of this wrapper are touched: CREATE FOREIGN
 * TABLE is a subcommand nowhere else, and one that a user writes is the user's
 * to comment on.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "commands/defrem.h"
#include "fdw/import.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define TENANT_COLUMN "tenant_id"
#define TENANT_COMMENT "The organisation the row belongs to"

static ProcessUtility_hook_type prev_process_utility = NULL;

/* The remote schemas there are, for a HINT. */
static char *
list_schemas(void)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < xero_napis; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", xero_apis[i]->name);
	return buf.data;
}

/*
 * A name in LIMIT TO that no table has would silently import nothing, so it
 * is an error.  (In EXCEPT it does no harm.)
 */
static void
check_limit_to(const ImportForeignSchemaStmt *stmt, const XeroApi *api)
{
	ListCell   *lc;

	if (stmt->list_type != FDW_IMPORT_SCHEMA_LIMIT_TO)
		return;

	foreach(lc, stmt->table_list)
	{
		const char *name = lfirst_node(RangeVar, lc)->relname;
		bool		found = false;

		for (int i = 0; i < xero_nobjects && !found; i++)
			found = xero_objects[i]->api == api &&
				strcmp(xero_objects[i]->table_name, name) == 0;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
					 errmsg("remote schema \"%s\" has no table \"%s\"",
							api->name, name),
					 errhint("The view xero_fdw.objects lists the tables.")));
	}
}

/* The command that creates an object's table. */
static char *
create_command(const XeroObject *object, const char *servername)
{
	StringInfoData buf;
	char	   *option;

	initStringInfo(&buf);
	appendStringInfo(&buf, "CREATE FOREIGN TABLE %s (\n\t%s uuid",
					 quote_identifier(object->table_name), TENANT_COLUMN);

	for (int i = 0; i < object->ncolumns; i++)
	{
		const XeroColumn *column = &object->columns[i];

		if (!xero_is_imported(object, column))
			continue;
		option = psprintf("%s%s",
						  column->flags & XERO_COL_PARENT ? XERO_PARENT_PREFIX : "",
						  column->field);
		appendStringInfo(&buf, ",\n\t%s %s OPTIONS (field %s)",
						 quote_identifier(column->name),
						 xero_type_name(column->type),
						 quote_literal_cstr(option));
		pfree(option);
	}

	option = psprintf("%s/%s", object->api->name, object->name);
	appendStringInfo(&buf, "\n) SERVER %s OPTIONS (object %s)",
					 quote_identifier(servername), quote_literal_cstr(option));
	pfree(option);

	return buf.data;
}

/*
 * FdwRoutine.ImportForeignSchema.  PostgreSQL adds the local schema's name to
 * the commands itself.
 */
List *
xeroImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	const XeroApi *api = xero_find_api(stmt->remote_schema);
	const char *servername = GetForeignServer(serverid)->servername;
	List	   *commands = NIL;

	if (stmt->options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"",
						linitial_node(DefElem, stmt->options)->defname),
				 errhint("IMPORT FOREIGN SCHEMA takes no options for a server of xero_fdw.")));

	if (api == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
				 errmsg("remote schema \"%s\" does not exist",
						stmt->remote_schema),
				 errhint("The remote schemas are: %s.", list_schemas())));

	check_limit_to(stmt, api);

	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];

		if (object->api == api &&
			IsImportableForeignTable(object->table_name, stmt))
			commands = lappend(commands, create_command(object, servername));
	}
	return commands;
}

/* The object that a CREATE FOREIGN TABLE of this wrapper is for, or NULL. */
static const XeroObject *
imported_object(const CreateForeignTableStmt *stmt)
{
	ForeignServer *server = GetForeignServerByName(stmt->servername, true);
	Oid			handler;
	ListCell   *lc;

	if (server == NULL)
		return NULL;
	handler = GetForeignDataWrapper(server->fdwid)->fdwhandler;
	if (!OidIsValid(handler) ||
		GetFdwRoutine(handler)->ImportForeignSchema != xeroImportForeignSchema)
		return NULL;

	foreach(lc, stmt->options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		if (strcmp(def->defname, "object") == 0)
			return xero_find_object(defGetString(def));
	}
	return NULL;
}

/* Set the comments of a table that an IMPORT has just created. */
static void
comment_table(const RangeVar *table, const XeroObject *object)
{
	Oid			relid;

	CommandCounterIncrement();	/* make the table visible */
	relid = RangeVarGetRelid(table, NoLock, false);

	CreateComments(relid, RelationRelationId, 0, object->comment);
	CreateComments(relid, RelationRelationId,
				   get_attnum(relid, TENANT_COLUMN), TENANT_COMMENT);
	for (int i = 0; i < object->ncolumns; i++)
	{
		if (xero_is_imported(object, &object->columns[i]))
			CreateComments(relid, RelationRelationId,
						   get_attnum(relid, object->columns[i].name),
						   object->columns[i].comment);
	}
}

/* ProcessUtility_hook: comments for the tables of an IMPORT. */
static void
xero_process_utility(PlannedStmt *pstmt, const char *queryString,
					 bool readOnlyTree, ProcessUtilityContext context,
					 ParamListInfo params, QueryEnvironment *queryEnv,
					 DestReceiver *dest, QueryCompletion *qc)
{
	const XeroObject *object = NULL;

	if (context == PROCESS_UTILITY_SUBCOMMAND &&
		IsA(pstmt->utilityStmt, CreateForeignTableStmt))
		object = imported_object((CreateForeignTableStmt *) pstmt->utilityStmt);

	if (prev_process_utility)
		prev_process_utility(pstmt, queryString, readOnlyTree, context,
							 params, queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
								params, queryEnv, dest, qc);

	if (object != NULL)
		comment_table(((CreateForeignTableStmt *) pstmt->utilityStmt)->base.relation,
					  object);
}

void
xero_import_init(void)
{
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = xero_process_utility;
}
