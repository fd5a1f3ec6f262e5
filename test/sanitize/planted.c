/*-------------------------------------------------------------------------
 *
 * planted.c
 *	  Faults that script/test-sanitize must see, or it would see none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(planted_overrun);
PG_FUNCTION_INFO_V1(planted_shift);

/* Beyond a chunk, but within its block and within the smallest chunk. */
Datum
planted_overrun(PG_FUNCTION_ARGS)
{
	volatile char *chunk = palloc(13);

	PG_RETURN_INT32(chunk[PG_GETARG_INT32(0)]);
}

Datum
planted_shift(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(1 << PG_GETARG_INT32(0));
}
