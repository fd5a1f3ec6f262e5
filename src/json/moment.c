/*-------------------------------------------------------------------------
 *
 * moment.c
 *	  Xero's dates and times.
 *
 * Two forms arrive: /Date(milliseconds since 1970 UTC)/, whose optional
 * offset is for information and never added, and ISO 8601, where a missing
 * offset means UTC.  Nothing here depends on TimeZone or DateStyle, which is
 * why PostgreSQL's own input functions are not used.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/int.h"
#include "json/moment.h"
#include "utils/datetime.h"

#define MSECS_PER_DAY	INT64CONST(86400000)

/* What is left to read.  Reading past the end finds NULs. */
typedef struct Reading
{
	const char *p;
	const char *end;
} Reading;

static inline char
peek(const Reading *in)
{
	return in->p < in->end ? *in->p : '\0';
}

static inline bool
accept(Reading *in, char c)
{
	if (peek(in) != c)
		return false;
	in->p++;
	return true;
}

static inline bool
accept_digit(Reading *in, int *digit)
{
	char		c = peek(in);

	if (c < '0' || c > '9')
		return false;
	*digit = c - '0';
	in->p++;
	return true;
}

/* Exactly "count" digits. */
static bool
accept_digits(Reading *in, int count, int *value)
{
	int			digit;

	*value = 0;
	while (count-- > 0)
	{
		if (!accept_digit(in, &digit))
			return false;
		*value = *value * 10 + digit;
	}
	return true;
}

/*
 * The rest of "/Date(ms+0000)/" after the first slash.  Slashes may still
 * have JSON's backslash before them.
 */
static XeroMomentResult
parse_epoch(Reading *in, XeroMoment *moment)
{
	bool		negative;
	bool		overflow = false;
	int64		msecs = 0;
	int			digit;
	int			zone;

	for (const char *word = "Date("; *word != '\0'; word++)
	{
		if (!accept(in, *word))
			return XERO_MOMENT_SYNTAX;
	}
	negative = accept(in, '-');
	if (peek(in) < '0' || peek(in) > '9')
		return XERO_MOMENT_SYNTAX;
	while (accept_digit(in, &digit))
	{
		overflow |= pg_mul_s64_overflow(msecs, 10, &msecs);
		overflow |= pg_add_s64_overflow(msecs, digit, &msecs);
	}
	if ((accept(in, '+') || accept(in, '-')) && !accept_digits(in, 4, &zone))
		return XERO_MOMENT_SYNTAX;
	if (!accept(in, ')'))
		return XERO_MOMENT_SYNTAX;
	accept(in, '\\');
	if (!accept(in, '/') || in->p != in->end)
		return XERO_MOMENT_SYNTAX;
	if (overflow)
		return XERO_MOMENT_RANGE;

	/* the day before 1970 that a negative value falls on is its floor */
	if (negative)
		msecs = -msecs;
	moment->day = msecs / MSECS_PER_DAY;
	msecs %= MSECS_PER_DAY;
	if (msecs < 0)
	{
		msecs += MSECS_PER_DAY;
		moment->day--;
	}
	moment->day -= POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
	moment->usec = msecs * 1000;
	moment->offset = 0;
	return XERO_MOMENT_OK;
}

/* ".1234567": microseconds, rounded as PostgreSQL rounds. */
static bool
parse_fraction(Reading *in, int64 *usec)
{
	int64		scale = 1000000;
	int			digit;

	if (!accept(in, '.'))
		return true;
	if (!accept_digit(in, &digit))
		return false;
	do
	{
		scale /= 10;
		if (scale > 0)
			*usec += digit * scale;
		else
		{
			if (digit >= 5)
				*usec += 1;
			while (accept_digit(in, &digit))
				;
			break;
		}
	} while (accept_digit(in, &digit));
	return true;
}

/* Nothing, "Z", "+hh", "+hhmm" or "+hh:mm". */
static bool
parse_offset(Reading *in, int64 *offset)
{
	bool		west;
	int			hours;
	int			minutes = 0;

	*offset = 0;
	if (in->p == in->end || accept(in, 'Z') || accept(in, 'z'))
		return true;
	west = accept(in, '-');
	if (!west && !accept(in, '+'))
		return false;
	if (!accept_digits(in, 2, &hours))
		return false;
	if (in->p != in->end)
	{
		accept(in, ':');
		if (!accept_digits(in, 2, &minutes))
			return false;
	}
	if (hours > 15 || minutes > 59)
		return false;
	*offset = (hours * INT64CONST(60) + minutes) * USECS_PER_MINUTE;
	if (west)
		*offset = -*offset;
	return true;
}

/* "2018-10-20", "2018-10-20T00:00:00.0000000Z" and what is between. */
static XeroMomentResult
parse_iso(Reading *in, XeroMoment *moment)
{
	int			year;
	int			month;
	int			day;
	int			hour = 0;
	int			minute = 0;
	int			second = 0;
	int64		usec = 0;

	if (!accept_digits(in, 4, &year) || !accept(in, '-') ||
		!accept_digits(in, 2, &month) || !accept(in, '-') ||
		!accept_digits(in, 2, &day))
		return XERO_MOMENT_SYNTAX;
	moment->offset = 0;
	if (accept(in, 'T') || accept(in, 't') || accept(in, ' '))
	{
		if (!accept_digits(in, 2, &hour) || !accept(in, ':') ||
			!accept_digits(in, 2, &minute))
			return XERO_MOMENT_SYNTAX;
		if (accept(in, ':') &&
			(!accept_digits(in, 2, &second) || !parse_fraction(in, &usec)))
			return XERO_MOMENT_SYNTAX;
		if (!parse_offset(in, &moment->offset))
			return XERO_MOMENT_SYNTAX;
	}
	if (in->p != in->end)
		return XERO_MOMENT_SYNTAX;

	if (year < 1 || month < 1 || month > 12 || day < 1 ||
		day > day_tab[isleap(year)][month - 1] ||
		hour > 23 || minute > 59 || second > 60)
		return XERO_MOMENT_RANGE;
	moment->day = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	moment->usec = ((hour * INT64CONST(60) + minute) * 60 + second) *
		USECS_PER_SEC + usec;
	return XERO_MOMENT_OK;
}

/* Read a whole string; "s" is what stands between its quotes. */
XeroMomentResult
xero_moment_parse(const char *s, size_t len, XeroMoment *moment)
{
	Reading		in = {s, s + len};

	if (accept(&in, '\\'))
	{
		if (!accept(&in, '/'))
			return XERO_MOMENT_SYNTAX;
		return parse_epoch(&in, moment);
	}
	if (accept(&in, '/'))
		return parse_epoch(&in, moment);
	return parse_iso(&in, moment);
}

/* The day as written.  False if a date cannot hold it. */
bool
xero_moment_date(const XeroMoment *moment, DateADT *date)
{
	if (!IS_VALID_DATE(moment->day))
		return false;
	*date = (DateADT) moment->day;
	return true;
}

/* The instant.  False if a timestamp cannot hold it. */
bool
xero_moment_timestamp(const XeroMoment *moment, Timestamp *timestamp)
{
	return !pg_mul_s64_overflow(moment->day, USECS_PER_DAY, timestamp) &&
		!pg_add_s64_overflow(*timestamp, moment->usec - moment->offset,
							 timestamp) &&
		IS_VALID_TIMESTAMP(*timestamp);
}

/*
 * ISO 8601, with milliseconds if there are some.  False for a moment that is
 * not in UTC, or of a year that the form cannot hold.
 */
bool
xero_moment_iso(const XeroMoment *moment, char iso[XERO_MOMENT_ISO_SIZE])
{
	int			msec = (int) (moment->usec / 1000 % 1000);
	int64		sec = moment->usec / USECS_PER_SEC;
	int			year;
	int			month;
	int			day;
	int			len;

	if (moment->offset != 0 || !IS_VALID_DATE(moment->day))
		return false;
	j2date((int) moment->day + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	if (year < 1 || year > 9999)
		return false;
	len = snprintf(iso, XERO_MOMENT_ISO_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d",
				   year, month, day, (int) (sec / 3600),
				   (int) (sec / 60 % 60), (int) (sec % 60));
	snprintf(iso + len, XERO_MOMENT_ISO_SIZE - len, msec ? ".%03dZ" : "Z",
			 msec);
	return true;
}
