/*-------------------------------------------------------------------------
 *
 * requested_scopes.c
 *	  What a consent asks for.
 *
 * The least that will do: to write the objects that there are updatable foreign
 * tables of, and to read the others.  Before there are any tables it is the
 * whole accounting API, since people connect first and import then.
 *
 * Xero refuses a consent that asks for a scope which the application cannot
 * have.  So one that is closed to most applications is left out, whatever
 * tables there are, unless the option "scopes" names it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/consent/consent.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/scopes.h"
#include "fdw/consent/requested_scopes.h"
#include "fdw/consent/table_scopes.h"
#include "fdw/options.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

/* Add the words that are not there yet. */
static void
add_words(StringInfo words, const char *more)
{
	for (const char *p = more + strspn(more, " "); *p != '\0';)
	{
		size_t		n = strcspn(p, " ");

		if (!xero_has_word(words->data, p, n))
			appendStringInfo(words, "%s%.*s", words->len > 0 ? " " : "",
							 (int) n, p);
		p += n;
		p += strspn(p, " ");
	}
}

/*
 * Add scopes of objects.  A scope to write covers reading, whose name is the
 * same with ".read".
 */
static void
add_scopes(StringInfo words, const char *scopes)
{
	for (const char *p = scopes; *p != '\0';)
	{
		size_t		n = strcspn(p, " ");

		if (n <= 5 || strncmp(p + n - 5, ".read", 5) != 0 ||
			!xero_has_word(scopes, p, n - 5))
			add_words(words, pnstrdup(p, n));
		p += n;
		p += strspn(p, " ");
	}
}

/* Scopes of objects: what is asked for, and what is closed to most. */
typedef struct Needs
{
	StringInfoData open;
	StringInfoData closed;
} Needs;

static void
add_scope(Needs *needs, const char *scope)
{
	if (scope != NULL)
		add_words(xero_closed_scope(scope, strlen(scope)) != NULL ?
				  &needs->closed : &needs->open, scope);
}

/* The scopes that the objects need; a consent to nothing is an ERROR. */
static char *
derive_scopes(const XeroServer *server)
{
	List	   *tables = xero_table_scopes(server->serverid);
	Needs		needs;
	ListCell   *lc;

	initStringInfo(&needs.open);
	initStringInfo(&needs.closed);
	foreach(lc, tables)
		add_scope(&needs, ((XeroTableScope *) lfirst(lc))->scope);
	if (tables == NIL)
	{
		bool		writes = xero_server_updatable(server->serverid, GetUserId());

		for (int i = 0; i < xero_nobjects; i++)
		{
			if (strcmp(xero_objects[i]->api->name, "accounting") != 0)
				continue;
			add_scope(&needs, xero_object_scope(xero_objects[i], writes));
			add_scope(&needs, xero_below_scope(xero_objects[i]));
		}
	}
	if (needs.open.len == 0 && needs.closed.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("all foreign tables of server \"%s\" need scopes that Xero grants to few applications",
						server->name),
				 errdetail("The scopes are %s.", needs.closed.data),
				 errhint("If the application has them, set the server option \"scopes\".")));
	return needs.open.data;
}

char *
xero_requested_scopes(const XeroServer *server)
{
	StringInfoData words;

	initStringInfo(&words);
	add_words(&words, XERO_CONSENT_SCOPES);
	if (server->scopes != NULL)
		add_words(&words, server->scopes);
	else
		add_scopes(&words, derive_scopes(server));
	return words.data;
}
