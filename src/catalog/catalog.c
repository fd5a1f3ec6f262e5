/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  The lists of APIs and objects, and the look-ups.
 *
 * The lists are short enough, and asked seldom enough, to be searched from
 * end to end.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "catalog/rows.h"

/* INDENT OFF */

#define DEFINE_API(name, base, country) \
	const XeroApi xero_api_##name = {#name, base, country};
XERO_APIS(DEFINE_API)

#define API_ROW(name, base, country) &xero_api_##name,
const XeroApi *const xero_apis[] = {XERO_APIS(API_ROW)};
const int	xero_napis = lengthof(xero_apis);

#define OBJECT_ROW(name) &xero_object_##name,
const XeroObject *const xero_objects[] = {XERO_OBJECTS(OBJECT_ROW)};
const int	xero_nobjects = lengthof(xero_objects);

StaticAssertDecl(lengthof(xero_objects) <= XERO_MAX_OBJECTS,
				 "there are more objects than XERO_MAX_OBJECTS");

/* INDENT ON */

/* The API of a remote schema's name. */
const XeroApi *
xero_find_api(const char *name)
{
	for (int i = 0; i < xero_napis; i++)
	{
		if (strcmp(xero_apis[i]->name, name) == 0)
			return xero_apis[i];
	}
	return NULL;
}

/* The object of an "object" option: "accounting/Invoices". */
const XeroObject *
xero_find_object(const char *api_and_name)
{
	const char *slash = strchr(api_and_name, '/');
	size_t		apilen;

	if (slash == NULL)
		return NULL;
	apilen = slash - api_and_name;

	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];

		if (strlen(object->api->name) == apilen &&
			pg_strncasecmp(object->api->name, api_and_name, apilen) == 0 &&
			pg_strcasecmp(object->name, slash + 1) == 0)
			return object;
	}
	return NULL;
}

/* The column of an SQL name, spelled exactly. */
const XeroColumn *
xero_find_column(const XeroObject *object, const char *name)
{
	for (int i = 0; i < object->ncolumns; i++)
	{
		if (strcmp(object->columns[i].name, name) == 0)
			return &object->columns[i];
	}
	return NULL;
}

/* The column of a "field" option, with its prefix if it is the parent's. */
const XeroColumn *
xero_find_field(const XeroObject *object, const char *field)
{
	int			parent = 0;

	if (strncmp(field, XERO_PARENT_PREFIX, strlen(XERO_PARENT_PREFIX)) == 0)
	{
		parent = XERO_COL_PARENT;
		field += strlen(XERO_PARENT_PREFIX);
	}

	for (int i = 0; i < object->ncolumns; i++)
	{
		const XeroColumn *column = &object->columns[i];

		if ((column->flags & XERO_COL_PARENT) == parent &&
			pg_strcasecmp(column->field, field) == 0)
			return column;
	}
	return NULL;
}

bool
xero_lists_lack_rows(const XeroObject *object)
{
	return object->parent != NULL &&
		(object->below ||
		 !(xero_find_field(object->parent, object->array)->levels & XERO_LEVEL_LIST));
}

/* The SQL name of a type, as written in CREATE FOREIGN TABLE. */
const char *
xero_type_name(XeroType type)
{
	switch (type)
	{
		case XERO_TEXT:
			return "text";
		case XERO_UUID:
			return "uuid";
		case XERO_NUMERIC:
			return "numeric";
		case XERO_BOOLEAN:
			return "boolean";
		case XERO_INTEGER:
			return "integer";
		case XERO_DATE:
			return "date";
		case XERO_TIMESTAMPTZ:
			return "timestamp with time zone";
		case XERO_JSONB:
			return "jsonb";
	}
	pg_unreachable();
}

/* The OID of a type; all are built in. */
Oid
xero_type_oid(XeroType type)
{
	switch (type)
	{
		case XERO_TEXT:
			return TEXTOID;
		case XERO_UUID:
			return UUIDOID;
		case XERO_NUMERIC:
			return NUMERICOID;
		case XERO_BOOLEAN:
			return BOOLOID;
		case XERO_INTEGER:
			return INT4OID;
		case XERO_DATE:
			return DATEOID;
		case XERO_TIMESTAMPTZ:
			return TIMESTAMPTZOID;
		case XERO_JSONB:
			return JSONBOID;
	}
	pg_unreachable();
}
