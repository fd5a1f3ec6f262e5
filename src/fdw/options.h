/*-------------------------------------------------------------------------
 *
 * options.h
 *	  Options of servers, user mappings, tables and columns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_OPTIONS_H
#define XERO_OPTIONS_H

#include "compat.h"

#include "api/consent/organisations.h"
#include "catalog/catalog.h"
#include "foreign/foreign.h"
#include "json/reader.h"
#include "query/query.h"
#include "utils/rel.h"

struct XeroBudgetState;

/* One column of a foreign table. */
typedef struct XeroTableColumn
{
	char	   *path;			/* JSON path; NULL for a dropped column and
								 * for tenant_id */
	bool		from_parent;	/* the path starts at the parent record */
	bool		is_tenant;
	const XeroColumn *known;	/* the catalogue's column of that field, even
								 * if the SQL type differs; NULL if unknown */
	bool		same_type;		/* the SQL type is the catalogue's */
} XeroTableColumn;

/* A foreign table's options, with what the catalogue knows of it. */
typedef struct XeroTable
{
	Oid			relid;
	const char *name;
	Oid			serverid;
	const XeroObject *object;
	bool		one_tenant;		/* the server's options name an organisation */
	bool		include_archived;
	bool		summary_only;
	int			page_size;		/* the server's unless the table sets its own */
	bool		updatable;		/* the table's own option */
	int			batch_size;		/* rows of one write at most */
	int			natts;
	XeroTableColumn *columns;	/* by attribute number - 1 */
} XeroTable;

/* Where people consent, and where their browser is sent back to. */
typedef struct XeroLogin
{
	char	   *login_url;		/* without a trailing slash */
	char	   *redirect_uri;
} XeroLogin;

/* Allocated in the current memory context; errors name the table or column. */
extern XeroTable *xero_get_table(Relation rel);

/* The same as the query layer sees it; relid is the range table index. */
extern XeroRel *xero_rel_from_table(const XeroTable *table, Index relid);

/*
 * What the reader decodes for all columns of a table but tenant_id, and the
 * attribute of each, in the current memory context.  Returns how many.
 */
extern int	xero_table_fields(const XeroTable *table, TupleDesc desc,
							  XeroField **fields, AttrNumber **attnos);

/* By its name; ERROR if there is none, or it is another wrapper's. */
extern ForeignServer *xero_find_server(const char *name);

/* The same, if the caller may use it; else ERROR, too. */
extern ForeignServer *xero_usable_server(const char *name);

/* Server and user mapping options merged; ERROR where there is no mapping. */
extern XeroServer *xero_get_server(Oid serverid, Oid userid);

extern XeroLogin *xero_get_login(Oid serverid);

/*
 * The option "updatable" of a server, of a user mapping and of a foreign table:
 * writing takes that none of them is false.
 *
 * Neither the server nor the user's mapping forbids it:
 */
extern bool xero_server_updatable(Oid serverid, Oid userid);

/*
 * What it is whose option keeps the user from writing to the table, for a
 * message; NULL if none does.  Without a user, mappings are not looked at.
 */
extern char *xero_read_only_option(const XeroTable *table, Oid userid);

/*
 * What a foreign table is made of, NULL if that is unknown, and whether no
 * option keeps the user from writing to it.
 */
extern const XeroObject *xero_table_object(Oid relid, Oid userid,
										   bool *updatable);

/*
 * What the backend knows, without asking Xero, of the organisations that a
 * table's server stands for: how many, or -1.
 */
extern int	xero_planned_organisations(const XeroTable *table, Oid userid,
									   XeroOrganisation **list);

/*
 * What Xero has told of the records of the table's list to those who call with
 * the user's credentials: how many an organisation has, on average, or -1; and
 * how many organisations that is known of.
 */
extern double xero_planned_records(const XeroTable *table, Oid userid,
								   int *organisations);

/*
 * What is left just now to those who call with the user's credentials, as
 * xero_budget_least() says.
 */
extern bool xero_planned_budget(const XeroTable *table, Oid userid,
								struct XeroBudgetState *least);

#endif							/* XERO_OPTIONS_H */
