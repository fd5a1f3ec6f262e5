/*-------------------------------------------------------------------------
 *
 * rewrite.h
 *	  JSON as Xero writes it -> JSON that PostgreSQL's types can hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_REWRITE_H
#define XERO_REWRITE_H

#include "compat.h"

/*
 * What becomes of a character that JSON can escape and PostgreSQL cannot
 * store: \u0000, and half of a surrogate pair.
 */
typedef enum XeroOnBadText
{
	XERO_BAD_TEXT_ERROR,		/* it is left for the type to refuse */
	XERO_BAD_TEXT_REPLACE		/* U+FFFD is read in its place */
} XeroOnBadText;

/* The setting xero_fdw.on_bad_text. */
extern int	xero_on_bad_text;

/*
 * What would be refused has a noncharacter, U+FDD0, in its place: so syncs know
 * the records that have something to refuse.
 */
extern bool xero_mark_bad_text;

/* Is there such a character in the text of a JSON value? */
extern bool xero_has_bad_text(const char *json, size_t len);

/*
 * The value with such characters replaced as the settings say; the same pointer
 * where there are none.
 */
extern const char *xero_settle_bad_text(const char *json, size_t len);

/* The value with U+FFFD in their place, whatever the settings say. */
extern const char *xero_replace_bad_text(const char *json, size_t len);

/*
 * Has a value that is to be sent, in the database's encoding, a character that
 * may have been read in place of another?  U+FFFD may where the setting
 * replaces.
 */
extern bool xero_has_replacement(const char *json);

/*
 * The value with its /Date(ms)/ as ISO 8601, where a member that is called a
 * date has it; the same pointer where there are none.
 */
extern const char *xero_rewrite_dates(const char *json, size_t *len);

#endif							/* XERO_REWRITE_H */
