/*-------------------------------------------------------------------------
 *
 * moment.h
 *	  Xero's dates and times.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_MOMENT_H
#define XERO_MOMENT_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

/* A day and time of day as written, and how far that is ahead of UTC. */
typedef struct XeroMoment
{
	int64		day;			/* since 2000-01-01 */
	int64		usec;			/* of that day */
	int64		offset;			/* microseconds; 0 where none is written */
} XeroMoment;

typedef enum XeroMomentResult
{
	XERO_MOMENT_OK,
	XERO_MOMENT_SYNTAX,
	XERO_MOMENT_RANGE
} XeroMomentResult;

/* "2018-10-20T16:31:30.123Z" and its NUL */
#define XERO_MOMENT_ISO_SIZE 25

extern XeroMomentResult xero_moment_parse(const char *s, size_t len,
										  XeroMoment *moment);
extern bool xero_moment_date(const XeroMoment *moment, DateADT *date);
extern bool xero_moment_timestamp(const XeroMoment *moment,
								  Timestamp *timestamp);
extern bool xero_moment_iso(const XeroMoment *moment,
							char iso[XERO_MOMENT_ISO_SIZE]);

#endif							/* XERO_MOMENT_H */
