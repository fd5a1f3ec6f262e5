/*-------------------------------------------------------------------------
 *
 * scopes.c
 *	  Which scope of a consent covers an object, and who can have it.
 *
 * Objects name Xero's granular scopes.  The broad ones of before March 2026 are
 * for those who have them in the option "scopes".  Xero refuses a request as a
 * whole if it asks for one scope that the application cannot have.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "base/text.h"
#include "catalog/scopes.h"

#define READ ".read"

#define EARLY "applications from before 2 March 2026"

static const XeroClosedScope closed_scopes[] = {
	{"accounting.journals",
		"Xero grants it only to applications of the Advanced tier, and to those from before 2 March 2026 (custom connections: 29 April 2026).",
	"Use the tables of what journals are made from, such as invoices, payments, bank_transactions and manual_journals."},
	{"accounting.classicexpenses",
		"Xero grants it only to " EARLY ", and ends it in February 2027.",
	"Use invoices of the type ACCPAY, or bank_transactions of the type SPEND."},
	{"accounting.transactions",
		"Xero grants it only to " EARLY ", and ends it on 13 September 2027.",
	"Use accounting.invoices, accounting.payments, accounting.banktransactions and accounting.manualjournals."},
	{"accounting.reports",
		"Xero grants it only to " EARLY ", and ends it on 13 September 2027.",
	"Use the scope of each report, such as accounting.reports.balancesheet.read."},
	{"finance.",
	"Xero grants it only to applications that it has approved for that."},
};

static const char *
pick_scope(const XeroObject *root, bool writes)
{
	return writes && root->write_scope != NULL ? root->write_scope :
		root->read_scope;
}

const char *
xero_object_scope(const XeroObject *object, bool writes)
{
	return pick_scope(xero_root_object(object),
					  writes && object->max_batch > 0);
}

const char *
xero_below_scope(const XeroObject *object)
{
	return object->below ? object->read_scope : NULL;
}

/* The scope of what is at "/key/array" below a record of the object. */
static const char *
part_scope(const XeroObject *object, const char *rest)
{
	const char *array = rest[0] == '/' ? strchr(rest + 1, '/') : NULL;

	for (int i = 0; array != NULL && i < xero_nobjects; i++)
	{
		if (xero_objects[i]->parent == object && xero_objects[i]->below &&
			strcmp(array + 1, xero_objects[i]->array) == 0)
			return xero_below_scope(xero_objects[i]);
	}
	return NULL;
}

const char *
xero_path_scope(const char *path, bool writes)
{
	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];
		size_t		base = strlen(object->api->base);
		const char *below = xero_object_path(object);
		size_t		name = strlen(below);

		if (object->parent == NULL &&
			strncmp(path, object->api->base, base) == 0 &&
			path[base] == '/' &&
			strncmp(path + base + 1, below, name) == 0 &&
			(path[base + 1 + name] == '\0' || path[base + 1 + name] == '/'))
		{
			const char *part = part_scope(object, path + base + 1 + name);

			return part ? part : pick_scope(object, writes);
		}
	}
	return NULL;
}

/* Is the scope this one, to read or to write, or among those of the prefix? */
static bool
is_scope(const char *scope, size_t len, const char *name)
{
	size_t		n = strlen(name);

	if (len < n || strncmp(scope, name, n) != 0)
		return false;
	return len == n || name[n - 1] == '.' ||
		(len == n + strlen(READ) &&
		 strncmp(scope + n, READ, strlen(READ)) == 0);
}

const XeroClosedScope *
xero_closed_scope(const char *scope, size_t len)
{
	for (int i = 0; i < lengthof(closed_scopes); i++)
	{
		if (is_scope(scope, len, closed_scopes[i].name))
			return &closed_scopes[i];
	}
	return NULL;
}

/* Is it granted to write, or, if that is enough, to read? */
static bool
has_scope(const char *granted, const char *name, size_t len, bool reads)
{
	char		read[128];

	if (xero_has_word(granted, name, len))
		return true;
	if (!reads || len + strlen(READ) > sizeof(read))
		return false;
	memcpy(read, name, len);
	memcpy(read + len, READ, strlen(READ));
	return xero_has_word(granted, read, len + strlen(READ));
}

bool
xero_scope_is_granted(const char *granted, const char *scope)
{
	static const char *const broad = "accounting.transactions";
	static const char *const narrow =
	"accounting.invoices accounting.payments accounting.banktransactions "
	"accounting.manualjournals accounting.classicexpenses";
	size_t		len = strlen(scope);
	size_t		suffix = strlen(READ);
	bool		reads = len > suffix &&
	strcmp(scope + len - suffix, READ) == 0;

	if (reads)
		len -= suffix;
	return has_scope(granted, scope, len, reads) ||
		(xero_has_word(narrow, scope, len) &&
		 has_scope(granted, broad, strlen(broad), reads));
}
