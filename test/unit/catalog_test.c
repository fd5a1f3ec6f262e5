/*-------------------------------------------------------------------------
 *
 * catalog_test.c
 *	  Is the catalogue consistent in itself?
 *
 * The other layers rely on what is checked here and do not check it again.
 * One TAP line a rule; a broken rule is reported with every row that breaks it.
 *
 * Link: src/catalog/[a-z]*.c src/base/text.c
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <ctype.h>
#include <strings.h>

#include "catalog/catalog.h"
#include "catalog/scopes.h"
#include "catalog/writes.h"
#include "tap.h"

#define XERO_LEVELS_ALL \
	(XERO_LEVEL_SUMMARY | XERO_LEVEL_LIST | XERO_LEVEL_SINGLE)

static int	broken = 0;			/* rows that break the present rule */

/* The present rule must hold for this row. */
static void
expect(bool holds, const XeroObject *object, const char *member)
{
	if (holds)
		return;
	broken++;
	printf("# %s.%s: %s\n", object->api->name, object->table_name,
		   member ? member : "(table)");
}

/* End of a rule. */
static void
rule(const char *what)
{
	ok(broken == 0, what);
	broken = 0;
}

static bool
is_identifier(const char *name)
{
	if (strlen(name) >= NAMEDATALEN || !(name[0] >= 'a' && name[0] <= 'z'))
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* Short, in one line, and no sentence. */
static bool
is_comment(const char *text)
{
	size_t		len = text ? strlen(text) : 0;

	return len > 1 && len < 100 && text[len - 1] != '.' &&
		strchr(text, '\n') == NULL;
}

/* Names of levels between single dots, as Xero writes them. */
static bool
is_path(const char *path)
{
	const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (;;)
	{
		size_t		n = strspn(path, letters);

		if (n == 0)
			return false;
		if (path[n] == '\0')
			return true;
		if (path[n] != '.')
			return false;
		path += n + 1;
	}
}

static bool
same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

#define EACH_OBJECT(object) \
	for (int i_ = 0; i_ < xero_nobjects; i_++) \
		for (const XeroObject *object = xero_objects[i_]; object; object = NULL)
#define EACH_COLUMN(object, column) \
	for (const XeroColumn *column = (object)->columns; \
		 column < (object)->columns + (object)->ncolumns; column++)
#define EACH_PARAM(object, param) \
	for (const XeroParam *param = (object)->params; \
		 param < (object)->params + (object)->nparams; param++)

static void
check_names(void)
{
	char		name[200];

	EACH_OBJECT(object)
	{
		expect(xero_find_api(object->api->name) == object->api, object, "api");
		snprintf(name, sizeof(name), "%s/%s", object->api->name, object->name);
		expect(xero_find_object(name) == object, object, name);
		for (char *c = name; *c; c++)
			*c = toupper((unsigned char) *c);
		expect(xero_find_object(name) == object, object, name);
	}
	rule("every object is found by its name, in any casing");

	broken += xero_find_object("accounting") != NULL;
	broken += xero_find_object("accounting/") != NULL;
	broken += xero_find_object("account/Invoices") != NULL;
	broken += xero_find_object("accounting/Invoice") != NULL;
	broken += xero_find_object("accounting/Invoices/") != NULL;
	broken += xero_find_object("payroll_au/Invoices") != NULL;
	broken += xero_find_api("Accounting") != NULL;
	rule("no object is found by another name");

	EACH_OBJECT(object)
	{
		expect(is_identifier(object->table_name), object, NULL);
		expect(is_comment(object->comment), object, "comment");
		for (int i = 0; i < xero_nobjects; i++)
			expect(xero_objects[i] == object ||
				   xero_objects[i]->api != object->api ||
				   strcmp(xero_objects[i]->table_name, object->table_name) != 0,
				   object, "same name twice");
	}
	rule("tables have different plain names and a comment");

	EACH_OBJECT(object)
	{
		EACH_COLUMN(object, column)
		{
			expect(is_identifier(column->name), object, column->name);
			expect(strcmp(column->name, "tenant_id") != 0, object, column->name);
			expect(is_comment(column->comment), object, column->name);
			expect(xero_find_column(object, column->name) == column,
				   object, column->name);
		}
	}
	rule("columns have different plain names and a comment");

	EACH_OBJECT(object)
	{
		EACH_COLUMN(object, column)
		{
			snprintf(name, sizeof(name), "%s%s",
					 column->flags & XERO_COL_PARENT ? XERO_PARENT_PREFIX : "",
					 column->field);
			expect(is_path(column->field), object, column->name);
			expect(xero_find_field(object, name) == column, object, column->name);
		}
	}
	rule("columns have different well-formed fields");
}

/* Keys, parents and the arrays they hold */
static void
check_structure(void)
{
	EACH_OBJECT(object)
	{
		const XeroColumn *key = object->key ?
		xero_find_column(object, object->key) : NULL;

		if (object->parent == NULL)
		{
			expect(key == object->columns, object, "key is not first");
			expect(key && (key->flags & XERO_COL_NOT_NULL), object, object->key);
		}
		else if (object->key)
			expect(key && !(key->flags & XERO_COL_PARENT), object, object->key);
	}
	rule("keys exist, come first, and identify a record");

	EACH_OBJECT(object)
	{
		const XeroObject *parent = object->parent;
		const XeroColumn *up = object->columns;
		const XeroColumn *array;
		size_t		len;

		EACH_COLUMN(object, column)
		{
			const XeroColumn *theirs;

			if (!(column->flags & XERO_COL_PARENT))
			{
				expect(parent == NULL || column != up, object, column->name);
				continue;
			}
			theirs = parent ? xero_find_field(parent, column->field) : NULL;
			expect(theirs && theirs->type == column->type &&
				   theirs->filtering == column->filtering &&
				   (column->levels & ~theirs->levels) == 0, object, column->name);
			expect(column == up || !(column->flags & XERO_COL_WRITABLE),
				   object, column->name);
			expect(column == up || column + 1 == object->columns + object->ncolumns ||
				   (column[1].flags & XERO_COL_PARENT), object, column->name);
		}
		expect((parent != NULL) == (object->array != NULL), object, "array");
		if (parent == NULL)
			continue;

		len = strlen(parent->name);
		expect(parent->parent == NULL && parent->api == object->api,
			   object, "parent");
		expect(strncmp(object->name, parent->name, len) == 0 &&
			   object->name[len] == '/' &&
			   strcmp(object->name + len + 1, object->array) == 0, object, "name");
		array = xero_find_field(parent, object->array);
		if (object->below)
			expect(array == NULL && object->read_scope != NULL && object->max_batch == 0,
				   object, object->array);
		else
			expect(array && array->type == XERO_JSONB, object, object->array);
		expect(strcmp(up->name, parent->key) == 0 &&
			   strcmp(up->field, parent->columns->field) == 0, object, up->name);
		expect(object->nparams == 0 || object->nparams == parent->nparams, object, "params");
		for (int i = 0; xero_objects[i] != parent; i++)
			expect(xero_objects[i] != object, object, "stands before its parent");
	}
	rule("child tables start with their parent's key, read an array of it, and end with its members");

	EACH_OBJECT(object)
	{
		const XeroObject *root = xero_root_object(object);

		expect(same_string(object->wrapper, root->wrapper) &&
			   same_string(object->order, root->order) &&
			   same_string(object->offset_column, root->offset_column) &&
			   object->paging == root->paging &&
			   object->max_page_size == root->max_page_size &&
			   object->default_page_size == root->default_page_size &&
			   object->has_where == root->has_where &&
			   object->has_modified_since == root->has_modified_since &&
			   object->has_summary == root->has_summary &&
			   object->has_unitdp == root->has_unitdp, object, NULL);
		if (object->parent)
			expect((object->operations & (XERO_OP_LIST | XERO_OP_GET)) ==
				   (root->operations & (XERO_OP_LIST | XERO_OP_GET)) &&
				   object->hides_records == root->hides_records,
				   object, "operations");
	}
	rule("child tables are asked for as their parents are");
}

/* Paging, parameters, order */
static void
check_requests(void)
{
	EACH_OBJECT(object)
	{
		const XeroObject *root = xero_root_object(object);
		const XeroColumn *offset = object->offset_column ?
		xero_find_column(root, object->offset_column) : NULL;

		expect((object->paging == XERO_PAGING_OFFSET) ==
			   (offset && offset->type == XERO_INTEGER &&
				(offset->flags & XERO_COL_NOT_NULL)), object, "offset_column");
		expect((object->paging == XERO_PAGING_NONE) ==
			   (object->default_page_size == 0), object, "default_page_size");
		expect(object->max_page_size == 0 ||
			   (object->paging == XERO_PAGING_PAGE &&
				object->max_page_size >= object->default_page_size),
			   object, "max_page_size");
		expect(object->typical_rows > 0, object, "typical_rows");
		expect(object->query == NULL ||
			   (object->parent == NULL && strchr(object->query, '=')),
			   object, "query");
	}
	rule("page sizes fit the way of paging");

	EACH_OBJECT(object)
	{
		const XeroObject *root = xero_root_object(object);
		const XeroColumn *order;

		if (object->order == NULL)
			continue;
		order = xero_find_field(root, object->order);
		expect(order && strcmp(order->name, root->key) == 0 &&
			   (order->flags & XERO_COL_ORDER), object, object->order);
		expect(object->paging == XERO_PAGING_PAGE ||
			   object->paging == XERO_PAGING_BARE, object, "order of a list without pages");
	}
	rule("full scans are ordered by the key, which never changes");

	EACH_OBJECT(object)
	{
		EACH_PARAM(object, param)
		{
			const XeroColumn *column = param->column ?
			xero_find_column(object, param->column) : NULL;

			expect((column == NULL) == (param->kind == XERO_PARAM_ARCHIVED) &&
				   (column == NULL) == (param->column == NULL),
				   object, param->name);
			if (column == NULL)
				continue;
			expect((column->type == XERO_DATE) ==
				   (param->kind == XERO_PARAM_FROM ||
					param->kind == XERO_PARAM_TO), object, param->name);
			expect(!param->exact || column->type != XERO_TEXT ||
				   (column->flags & XERO_COL_ENUM), object, param->name);
			for (const XeroParam *other = object->params; other < param; other++)
				expect(strcmp(other->name, param->name) != 0,
					   object, param->name);
		}
	}
	rule("parameters serve columns that exist, exactly only where case cannot matter");

	EACH_OBJECT(object)
	{
		EACH_COLUMN(object, column)
		{
			if (column->filtering != XERO_FILTER_NONE)
				expect(object->has_where && column->type != XERO_JSONB &&
					   (object->parent == NULL ||
						(column->flags & XERO_COL_PARENT)), object, column->name);
			if (column->filtering != XERO_FILTER_NONE ||
				(column->flags & XERO_COL_ORDER))
				expect(column->levels & XERO_LEVEL_LIST, object, column->name);
			if (column->flags & XERO_COL_ENUM)
				expect(column->type == XERO_TEXT, object, column->name);
			if (column->flags & XERO_COL_ORDER)
				expect(column->type != XERO_JSONB && column->type != XERO_BOOLEAN,
					   object, column->name);
		}
	}
	rule("conditions and order go down only where Xero takes them");
}

/* Which response carries what */
static void
check_levels(void)
{
	EACH_OBJECT(object)
	{
		EACH_COLUMN(object, column)
		{
			expect(column->levels != 0 && !(column->levels & ~XERO_LEVELS_ALL),
				   object, column->name);
			if (column->levels & XERO_LEVEL_SUMMARY)
				expect(object->has_summary && column->levels == XERO_LEVELS_ALL &&
					   column->type != XERO_JSONB, object, column->name);
			if (!(object->operations & XERO_OP_GET))
				expect(column->levels == XERO_LEVEL_LIST, object, column->name);
		}
	}
	rule("a column is in a level of detail that Xero offers of the object");

	EACH_OBJECT(object)
	{
		int			levels = XERO_LEVEL_LIST;

		if (object->operations & XERO_OP_GET)
			levels |= XERO_LEVEL_SINGLE;
		if (object->has_summary)
			levels |= XERO_LEVEL_SUMMARY;

		if (object->parent == NULL)
			expect(object->columns->levels == levels, object, object->key);
	}
	rule("the key is in every level of detail");

	EACH_OBJECT(object)
	{
		EACH_COLUMN(object, column)
		{
			const XeroColumn *tell;

			if (strcmp(column->field, "Attachments") == 0)
				expect(column->detail_if != NULL, object, column->name);
			if (column->detail_if == NULL)
				continue;
			tell = xero_find_field(object, column->detail_if);
			expect(column->levels == XERO_LEVEL_SINGLE && tell &&
				   tell->type == XERO_BOOLEAN && (tell->levels & XERO_LEVEL_LIST),
				   object, column->name);
		}
	}
	rule("a list tells whether a record has attachments");
}

/* Is there another table of its columns that has what lists lack? */
static bool
has_details(const XeroObject *object)
{
	for (int i = 0; i < xero_nobjects; i++)
	{
		if (xero_objects[i]->details && xero_objects[i]->columns == object->columns)
			return true;
	}
	return false;
}

/* What can be written */
static void
check_writes(void)
{
	EACH_OBJECT(object)
	{
		int			writes = object->operations & (XERO_OP_CREATE | XERO_OP_UPDATE);

		expect(object->operations & XERO_OP_LIST, object, "operations");
		expect((writes != 0) == (object->max_batch > 0), object, "max_batch");
		expect(object->max_batch <=
			   (xero_written_object(object) == object ? 50 : 500),
			   object, "max_batch");
		expect(!(object->operations & XERO_OP_DELETE) ||
			   !(object->operations & XERO_OP_VOID), object, "operations");
		EACH_COLUMN(object, column)
		{
			if (column->flags & XERO_COL_WRITABLE)
				expect(writes, object, column->name);
			if (column->flags & XERO_COL_REQUIRED)
				expect((column->flags & XERO_COL_WRITABLE) &&
					   ((object->operations & XERO_OP_CREATE) || has_details(object)),
					   object, column->name);
		}
	}
	rule("only what Xero takes is writable");

	EACH_OBJECT(object)
	{
		if (object->operations & XERO_OP_VOID)
			expect(xero_find_field(object, "Status") != NULL ||
				   xero_find_field(object, "ContactStatus") != NULL,
				   object, "status");
	}
	rule("records that are deleted by their status have one");
}

/* Does each of "a|b|c" name a column?  NULL: there is nothing to name. */
static bool
are_columns(const XeroObject *object, const char *names)
{
	while (names != NULL && *names != '\0')
	{
		char		name[NAMEDATALEN];
		size_t		n = strcspn(names, "|");

		if (n >= sizeof(name))
			return false;
		memcpy(name, names, n);
		name[n] = '\0';
		if (xero_find_column(object, name) == NULL)
			return false;
		names += n + (names[n] == '|');
	}
	return true;
}

/* How it is written */
static void
check_rules(void)
{
	EACH_OBJECT(object)
	{
		const XeroWriteRules *rules = object->writes;
		bool		inside = rules && rules->place == XERO_PLACE_INSIDE;

		expect(object->max_batch == 0 || rules != NULL, object, "no rules");
		if (rules == NULL)
			continue;
		expect(rules->place == XERO_PLACE_OWN || object->parent != NULL,
			   object, "place");
		expect((rules->create != NULL) ==
			   (!inside && (object->operations & XERO_OP_CREATE)),
			   object, "create");
		expect(!(object->operations & XERO_OP_UPDATE) || inside ||
			   rules->update != NULL, object, "update");
		expect(((object->operations & (XERO_OP_DELETE | XERO_OP_VOID)) != 0) ==
			   (rules->nendings > 0), object, "endings");
		expect((rules->status != NULL) ==
			   (rules->nendings > 0 && rules->endings->becomes != NULL),
			   object, "status");
		expect(rules->nunsent == 0 || inside, object, "unsent");
		expect(rules->untaxed == NULL ||
			   (are_columns(object, "line_amount_types") &&
				are_columns(object, "total")), object, "untaxed");
	}
	rule("what can be written has rules that fit");

	EACH_OBJECT(object)
	{
		const XeroWriteRules *rules = object->writes;

		if (rules == NULL)
			continue;
		for (int i = 0; i < lengthof(rules->labels); i++)
			expect(are_columns(object, rules->labels[i]), object, "labels");
		for (int i = 0; i < lengthof(rules->with_update); i++)
			expect(are_columns(object, rules->with_update[i]),
				   object, "with_update");
		for (int i = 0; i < lengthof(rules->one_of); i++)
			expect(are_columns(object, rules->one_of[i]), object, "one_of");
		for (int i = 0; i < rules->nfollows; i++)
			expect(are_columns(object, rules->follows[i].set) &&
				   are_columns(object, rules->follows[i].gives) &&
				   are_columns(object, rules->follows[i].given),
				   object, "follows");
		for (int i = 0; i < rules->nunsent; i++)
			expect(are_columns(object, rules->unsent[i].set) &&
				   are_columns(object, rules->unsent[i].gives),
				   object, "unsent");
		expect(are_columns(object, rules->status), object, "status");
		expect(rules->unique == NULL ||
			   (are_columns(object, rules->unique) && object->has_where &&
				xero_find_column(object, rules->unique)->type == XERO_TEXT),
			   object, "unique");
	}
	rule("rules speak of columns that exist");

	EACH_OBJECT(object)
	{
		EACH_COLUMN(object, column)
			expect((column->max_length == 0 && column->words == NULL) ||
				   column->type == XERO_TEXT, object, column->name);
	}
	rule("only text has limits");
}

/* The same scope by the object and by the path that is asked for. */
static void
check_scopes(void)
{
	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];
		const char *read = xero_object_scope(object, false);
		const char *write = xero_object_scope(object, true);
		const char *found;
		char		path[200];

		expect(read != NULL && write != NULL, object, "no scope");
		if (read == NULL || write == NULL)
			continue;
		expect(strcmp(read, write) == 0 ||
			   (object->max_batch > 0 &&
				strncmp(read, write, strlen(write)) == 0 &&
				strcmp(read + strlen(write), ".read") == 0),
			   object, "scope to write");
		snprintf(path, sizeof(path), "%s/%s/1", object->api->base,
				 xero_object_path(xero_root_object(object)));
		found = xero_path_scope(path, false);
		expect(found != NULL && strcmp(found, read) == 0, object, "path");
		if (object->below)
		{
			snprintf(path, sizeof(path), "%s/%s/1/%s", object->api->base,
					 xero_object_path(object->parent), object->array);
			found = xero_path_scope(path, false);
			expect(found != NULL && xero_below_scope(object) != NULL &&
				   strcmp(found, xero_below_scope(object)) == 0, object, "path below");
		}
	}
	rule("each object has a scope");
}

static bool
is_closed(const char *scope, const char *name)
{
	const XeroClosedScope *closed = xero_closed_scope(scope, strlen(scope));

	return name == NULL ? closed == NULL :
		closed != NULL && strcmp(closed->name, name) == 0;
}

static void
check_closed_scopes(void)
{
	broken = !is_closed("accounting.journals.read", "accounting.journals") +
		!is_closed("accounting.transactions", "accounting.transactions") +
		!is_closed("accounting.transactions.read", "accounting.transactions") +
		!is_closed("accounting.reports.read", "accounting.reports") +
		!is_closed("finance.statements.read", "finance.");
	rule("scopes that are closed to most");
	broken = !is_closed("accounting.reports.aged.read", NULL) +
		!is_closed("accounting.transactions.reader", NULL) +
		!is_closed("accounting.transaction", NULL) +
		!is_closed("accounting.manualjournals.read", NULL) +
		!is_closed("finances", NULL) + !is_closed("", NULL);
	rule("and those that are not");
}

static void
check_granted_scopes(void)
{
	const char *granted = "openid accounting.contacts accounting.settings.read";
	const char *broad = "accounting.transactions.read offline_access";

	broken = !xero_scope_is_granted(granted, "accounting.contacts") +
		!xero_scope_is_granted(granted, "accounting.contacts.read") +
		!xero_scope_is_granted(granted, "accounting.settings.read") +
		!xero_scope_is_granted(broad, "accounting.invoices.read") +
		!xero_scope_is_granted(broad, "accounting.transactions.read") +
		!xero_scope_is_granted("accounting.transactions", "accounting.payments") +
		!xero_scope_is_granted("accounting.transactions", "accounting.payments.read");
	rule("scopes that others cover");
	broken = xero_scope_is_granted(granted, "accounting.settings") +
		xero_scope_is_granted(granted, "accounting.invoices.read") +
		xero_scope_is_granted(granted, "accounting") +
		xero_scope_is_granted(broad, "accounting.invoices") +
		xero_scope_is_granted(broad, "accounting.contacts.read") +
		xero_scope_is_granted(broad, "accounting.journals.read") +
		xero_scope_is_granted("", "accounting.contacts.read");
	rule("and those that none does");
}

int
main(void)
{
	check_names();
	check_structure();
	check_requests();
	check_levels();
	check_writes();
	check_rules();
	check_scopes();
	check_closed_scopes();
	check_granted_scopes();

	for (XeroType type = XERO_TEXT; type <= XERO_JSONB; type++)
	{
		for (XeroType other = XERO_TEXT; other < type; other++)
			broken += xero_type_oid(type) == xero_type_oid(other) ||
				strcmp(xero_type_name(type), xero_type_name(other)) == 0;
	}
	rule("types have a name and an OID each");

	return done_testing();
}
