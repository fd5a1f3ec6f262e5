/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  What Xero has: APIs, objects, columns, parameters.
 *
 * Everything here is constant data.  IMPORT FOREIGN SCHEMA, pushdown, paging,
 * decoding, writes, the generated documentation and the tests all read this
 * one source; adding an object to the extension is adding a section to a data
 * file of this folder and its name to objects.h, adding a column a line to the
 * section, never code.  rows.h tells how.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CATALOG_H
#define XERO_CATALOG_H

#include "compat.h"

/* The PostgreSQL type a column is imported with. */
typedef enum XeroType
{
	XERO_TEXT,
	XERO_UUID,
	XERO_NUMERIC,				/* money and rates: never through a double */
	XERO_BOOLEAN,
	XERO_INTEGER,
	XERO_DATE,					/* a calendar day: no time-zone shift */
	XERO_TIMESTAMPTZ,			/* an instant */
	XERO_JSONB
} XeroType;

/* How Xero's where= can filter on a column. */
typedef enum XeroFiltering
{
	XERO_FILTER_NONE,			/* not at all, or not reliably */
	XERO_FILTER_LEGAL,			/* accepted, but refused in very large
								 * organisations */
	XERO_FILTER_OPTIMISED		/* on Xero's list of efficient filters */
} XeroFiltering;

/* How much of a record a response carries; bits, so that they make up sets. */
typedef enum XeroDetailLevel
{
	XERO_LEVEL_SUMMARY = 0x01,	/* list with summaryOnly=true */
	XERO_LEVEL_LIST = 0x02,		/* the list as the scan asks for it (paged
								 * where the object pages) */
	XERO_LEVEL_SINGLE = 0x04	/* GET of one record by its key */
} XeroDetailLevel;

/* Column flags */
#define XERO_COL_WRITABLE	0x0001
#define XERO_COL_REQUIRED	0x0002	/* to create a record */
#define XERO_COL_NOT_NULL	0x0004	/* every record has a value */
#define XERO_COL_ENUM		0x0008	/* upper-case words of a closed spelling:
									 * Xero's case-insensitive comparison
									 * equals PostgreSQL's for them */
#define XERO_COL_ORDER		0x0010	/* accepted in order= */
#define XERO_COL_PARENT		0x0020	/* child tables: a member of the parent
									 * record, not of the array element */
#define XERO_COL_STAYS		0x0040	/* Xero ignores an empty array; one empty
									 * element removes all */

typedef struct XeroColumn
{
	const char *name;			/* SQL name */
	const char *field;			/* JSON path in Xero's spelling, levels
								 * separated by dots */
	XeroType	type;
	XeroFiltering filtering;
	int			levels;			/* set of XeroDetailLevel that carry it */
	int			flags;			/* XERO_COL_* */
	const char *comment;		/* COMMENT ON COLUMN, in our own words */

	/*
	 * If a list leaves this column out, a record can still tell that there is
	 * nothing to fetch: when this boolean member is false.  NULL: no such
	 * member.  (Attachments / HasAttachments.)
	 */
	const char *detail_if;

	/* What the specification says firmly of the column's text. */
	int			max_length;		/* characters; 0: not known */
	const char *words;			/* "A|B|C"; NULL: any text */
} XeroColumn;

/* A query parameter of a list that serves a condition better than where=. */
typedef enum XeroParamKind
{
	XERO_PARAM_LIST,			/* comma-separated values: = and IN */
	XERO_PARAM_VALUE,			/* one value: = */
	XERO_PARAM_FROM,			/* inclusive lower bound, a date */
	XERO_PARAM_TO,				/* inclusive upper bound, a date */
	XERO_PARAM_ARCHIVED			/* ="true" on every request unless the table
								 * option include_archived is off */
} XeroParamKind;

typedef struct XeroParam
{
	const char *name;			/* as spelled in the URL */
	XeroParamKind kind;
	const char *column;			/* SQL name of the column it filters; NULL for
								 * XERO_PARAM_ARCHIVED */
	bool		exact;			/* Xero's answer equals PostgreSQL's */
} XeroParam;

/* How a list is cut into responses. */
typedef enum XeroPaging
{
	XERO_PAGING_NONE,			/* everything in one response */
	XERO_PAGING_PAGE,			/* page= and pageSize=, pagination object */
	XERO_PAGING_BARE,			/* page= only, or no pagination object: ends
								 * with a short page */
	XERO_PAGING_OFFSET			/* offset= the last value of the offset
								 * column; ends with an empty page */
} XeroPaging;

/*
 * An API's JSON dialect and transport.  Accounting and AU payroll write
 * PascalCase and \/Date(ms)\/; UK and NZ payroll write camelCase and ISO
 * dates.  The reader accepts every date form and any casing, so what is left
 * to say is small.
 */
typedef struct XeroApi
{
	const char *name;			/* remote schema: "accounting" */
	const char *base;			/* "/api.xro/2.0" */
	const char *country;		/* CountryCode of the organisations that have
								 * it, NULL: all of them */
} XeroApi;

/* What Xero lets a client do with an object, as a bit mask. */
#define XERO_OP_LIST	0x01
#define XERO_OP_GET		0x02	/* one record by its key */
#define XERO_OP_CREATE	0x04
#define XERO_OP_UPDATE	0x08
#define XERO_OP_DELETE	0x10	/* by the DELETE method */
#define XERO_OP_VOID	0x20	/* by writing Status DELETED, or VOIDED where
								 * the record was approved */

typedef struct XeroObject
{
	const XeroApi *api;
	const char *name;			/* the "object" option after the API's name:
								 * "Invoices"; for a child table
								 * "Invoices/LineItems" */
	const char *path;			/* below the base; NULL: as the name */
	const char *query;			/* "name=value" of every list request, or NULL */
	const char *table_name;		/* SQL name */
	const char *wrapper;		/* member of the envelope that holds the array */
	const char *key;			/* SQL name of the key column; for a child
								 * table of its own key, or NULL */
	const char *order;			/* order= for a full scan: an immutable field;
								 * NULL where order= is not offered or not
								 * needed */
	int			operations;		/* XERO_OP_* */
	XeroPaging	paging;
	int			max_page_size;	/* 0: the object has no pageSize */
	int			default_page_size;	/* what Xero serves without pageSize */
	const char *offset_column;	/* XERO_PAGING_OFFSET: SQL name */
	bool		has_where;		/* where= is offered; order= is where a column
								 * has XERO_COL_ORDER */
	bool		has_modified_since; /* If-Modified-Since is offered */
	bool		has_summary;	/* summaryOnly= is offered */
	bool		has_unitdp;		/* unitdp=4 asks for four decimals */
	bool		details;		/* its table shows what lists lack, for a call
								 * a record; others do not */
	bool		hides_records;	/* the list leaves out records that their GET
								 * shows, and no parameter brings them in */
	int			max_batch;		/* elements of one write, 0: read-only */
	int			typical_rows;	/* for the planner when nothing is known */

	/* Scopes of a consent that cover it; child tables need their parent's. */
	const char *read_scope;
	const char *write_scope;	/* NULL: there is none */

	const struct XeroWriteRules *writes;	/* writes.h; NULL: nothing is said
											 * of writing it */

	const XeroColumn *columns;
	int			ncolumns;
	const XeroParam *params;
	int			nparams;

	/* Child tables only: the parent's object and the array inside it. */
	const struct XeroObject *parent;
	const char *array;			/* JSON member of the parent record */
	bool		below;			/* the record has no such member: the array is
								 * what the path below it gives, and needs
								 * read_scope besides the parent's */

	const char *comment;		/* COMMENT ON FOREIGN TABLE */
} XeroObject;

/* Every API and object, in documentation order (parents before children). */
extern const XeroApi *const xero_apis[];
extern const int xero_napis;
extern const XeroObject *const xero_objects[];
extern const int xero_nobjects;

/* There are no more of them; shared memory has a place for each. */
#define XERO_MAX_OBJECTS 128

/*
 * Look-ups return NULL where there is nothing of that name.  Objects
 * ("accounting/Invoices") and fields are found in any casing, as Xero's own
 * varies.  The field of a member of the parent record is written with
 * XERO_PARENT_PREFIX in a child table's column option: "../InvoiceID".
 */
#define XERO_PARENT_PREFIX "../"

extern const XeroApi *xero_find_api(const char *name);
extern const XeroObject *xero_find_object(const char *api_and_name);
extern const XeroColumn *xero_find_column(const XeroObject *object,
										  const char *name);
extern const XeroColumn *xero_find_field(const XeroObject *object,
										 const char *field);

/* A child table whose array takes a call a record, as no list carries it? */
extern bool xero_lists_lack_rows(const XeroObject *object);

extern const char *xero_type_name(XeroType type);
extern Oid	xero_type_oid(XeroType type);

/* The path of the object's list, below the base of its API. */
static inline const char *
xero_object_path(const XeroObject *object)
{
	return object->path ? object->path : object->name;
}

/*
 * Does IMPORT FOREIGN SCHEMA make the column?  What would cost a call a record
 * is in tables that say so; users may add it to others.
 */
static inline bool
xero_is_imported(const XeroObject *object, const XeroColumn *column)
{
	return object->details || (column->levels & XERO_LEVEL_LIST) != 0;
}

/* The object that is asked for: the parent of a child table, else itself. */
static inline const XeroObject *
xero_root_object(const XeroObject *object)
{
	return object->parent ? object->parent : object;
}

#endif							/* XERO_CATALOG_H */
