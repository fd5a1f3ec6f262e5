/*-------------------------------------------------------------------------
 *
 * members.c
 *	  Members of an element, whether it is a row's own or one in its parent.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

#include "utils/fmgrprotos.h"

char *
xero_array_text(const XeroColumn *column, char *text)
{
	return (column->flags & XERO_COL_STAYS) && strcmp(text, "[]") == 0 ?
		"[{}]" : text;
}

bool
xero_is_any_there(const XeroEncoder *encoder, char **texts,
				  const char *columns)
{
	for (int i = 0; i < encoder->nmembers; i++)
	{
		const XeroColumn *known = encoder->columns[i].known;

		if (texts[i] != NULL && known != NULL &&
			xero_is_one_of(columns, known->name))
			return true;
	}
	return false;
}

/* The same path, or that of a member inside of the other. */
static bool
overlap(const char *a, const char *b)
{
	size_t		len = Min(strlen(a), strlen(b));

	return pg_strncasecmp(a, b, len) == 0 &&
		(a[len] == '\0' || a[len] == '.') && (b[len] == '\0' || b[len] == '.');
}

static bool
same_json(char *a, char *b)
{
	return strcmp(a, b) == 0 ||
		DatumGetBool(DirectFunctionCall2(jsonb_eq,
										 DirectFunctionCall1(jsonb_in, CStringGetDatum(a)),
										 DirectFunctionCall1(jsonb_in, CStringGetDatum(b))));
}

char *
xero_join_members(const XeroEncoder *encoder, char **texts)
{
	const XeroMember *members = encoder->members;

	for (int i = 0; i < encoder->nmembers; i++)
	{
		for (int j = 0; j < i && texts[i] != NULL; j++)
		{
			if (texts[j] == NULL ||
				!overlap(members[i].path, members[j].path) ||
				(encoder->first[i] == encoder->first[j] &&
				 same_json(texts[i], texts[j])))
				continue;
			return psprintf("columns \"%s\" and \"%s\" give Xero's member \"%s\" different values",
							members[j].column, members[i].column,
							strlen(members[i].path) < strlen(members[j].path) ?
							members[i].path : members[j].path);
		}
	}
	for (int i = 0; i < encoder->nmembers; i++)
	{
		if (encoder->first[i] != i && texts[i] != NULL)
		{
			texts[encoder->first[i]] = texts[i];
			texts[i] = NULL;
		}
	}
	return NULL;
}
