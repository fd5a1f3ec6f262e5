/*-------------------------------------------------------------------------
 *
 * convert.h
 *	  The text of one JSON value -> Datum.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CONVERT_H
#define XERO_CONVERT_H

#include "compat.h"

#include "fmgr.h"

typedef enum XeroConversion
{
	XERO_CONVERT_TEXT,
	XERO_CONVERT_UUID,
	XERO_CONVERT_NUMERIC,
	XERO_CONVERT_BOOL,
	XERO_CONVERT_INTEGER,
	XERO_CONVERT_FLOAT,
	XERO_CONVERT_DATE,
	XERO_CONVERT_TIMESTAMP,		/* with or without time zone */
	XERO_CONVERT_JSON,			/* json and jsonb */
	XERO_CONVERT_RAW,			/* cstring: as it came, in UTF-8 */
	XERO_CONVERT_INPUT			/* anything else: its input function */
} XeroConversion;

/* How to make values of one type. */
typedef struct XeroConverter
{
	XeroConversion conversion;
	Oid			type;
	int32		typmod;
	Oid			ioparam;
	FmgrInfo	input;
} XeroConverter;

extern void xero_converter_init(XeroConverter *converter, Oid type,
								int32 typmod, MemoryContext mcxt);
extern Datum xero_convert(XeroConverter *converter, const char *json,
						  size_t len, bool *isnull);
extern char *xero_readable_string(const char *json, size_t len);

#endif							/* XERO_CONVERT_H */
