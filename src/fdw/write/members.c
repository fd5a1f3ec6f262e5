/*-------------------------------------------------------------------------
 *
 * members.c
 *	  Members of an element, whether it is a row's own or one in its parent.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/write/modify.h"

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
