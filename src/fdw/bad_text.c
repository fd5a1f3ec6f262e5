/*-------------------------------------------------------------------------
 *
 * bad_text.c
 *	  The setting for texts that PostgreSQL cannot store.
 *
 * What it does is in json/rewrite.c.  A character that may have been read in
 * place of another is not sent: while the setting replaces, values with it are
 * refused (write/row.c); conditions with it are left to PostgreSQL whatever the
 * setting is, as a plan may outlive it (query/literal.c).
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "fdw/bad_text.h"

#include "json/rewrite.h"
#include "utils/guc.h"

static const struct config_enum_entry on_bad_text_words[] = {
	{"error", XERO_BAD_TEXT_ERROR, false},
	{"replace", XERO_BAD_TEXT_REPLACE, false},
	{NULL, 0, false}
};

void
xero_bad_text_init(void)
{
	DefineCustomEnumVariable("xero_fdw.on_bad_text",
							 "What becomes of a text of Xero's that PostgreSQL cannot store.",
							 "\"error\" ends the statement; \"replace\" reads U+FFFD in place of each character that cannot be stored.",
							 &xero_on_bad_text, XERO_BAD_TEXT_ERROR,
							 on_bad_text_words,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("xero_fdw.mark_bad_text",
							 "Internal: lets syncs tell the records that have such a text.",
							 NULL,
							 &xero_mark_bad_text, false,
							 PGC_USERSET,
							 GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							 NULL, NULL, NULL);
}
