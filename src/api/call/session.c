/*-------------------------------------------------------------------------
 *
 * session.c
 *	  What the calls of this backend have cost, and Xero's clock.
 *
 * A scan or a write adds up what it has cost itself; this is the sum of all of
 * them, so that whoever runs many statements can tell what they took.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/call/session.h"
#include "utils/timestamp.h"

/* In seconds: clocks that are further apart than a week tell nothing. */
#define MAX_CLOCK_OFFSET (7 * SECS_PER_DAY)

static XeroCallStats spent = {0};
static bool clock_known = false;
static int64 clock_offset = 0;

const XeroCallStats *
xero_session_stats(void)
{
	return &spent;
}

void
xero_session_spend(const XeroCallStats *cost)
{
	spent.calls += cost->calls;
	spent.retries += cost->retries;
	spent.bytes_in += cost->bytes_in;
	spent.bytes_out += cost->bytes_out;
	spent.waited_ms += cost->waited_ms;
}

void
xero_session_note_clock(const XeroHttpResult *result)
{
	int64		seconds = result->date - timestamptz_to_time_t(result->date_seen);

	if (result->date < 0 || seconds < -MAX_CLOCK_OFFSET ||
		seconds > MAX_CLOCK_OFFSET)
		return;
	/* the middle of the second that the header names */
	clock_offset = time_t_to_timestamptz(result->date) + USECS_PER_SEC / 2 -
		result->date_seen;
	clock_known = true;
}

bool
xero_session_clock_offset(int64 *offset)
{
	*offset = clock_offset;
	return clock_known;
}
