/*-------------------------------------------------------------------------
 *
 * fuzz.h
 *	  What the fuzz targets share.
 *
 * A target is a file NAME_fuzz.c with one function, fuzz_one(), that feeds one
 * input to our code and states what must hold whatever the input is.  What it
 * is linked with stands in its head comment, as for the unit tests.  shim.c
 * takes the server's part.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_FUZZ_H
#define XERO_FUZZ_H

#include "compat.h"

/* What is left of an input. */
typedef struct FuzzInput
{
	const char *at;
	size_t		left;
} FuzzInput;

extern void fuzz_one(FuzzInput *in);

/* A number below n; 0 where the input has ended. */
extern unsigned fuzz_pick(FuzzInput *in, unsigned n);

/*
 * The next line, or all that is left, as a string of exactly its size, so that
 * a read beyond it is seen.  A line has no zero byte in it, the rest may.
 */
extern char *fuzz_line(FuzzInput *in);
extern char *fuzz_rest(FuzzInput *in, size_t *len);

/* The encoding of the database, as the input chooses. */
extern void fuzz_pick_encoding(FuzzInput *in);

/* Is it text that such a database could hold? */
extern bool fuzz_is_text(const char *s, size_t len);

/*
 * Runs what may raise an error.  Its SQLSTATE, or 0.  Texts of the error must
 * be good text.
 */
extern int	fuzz_run(void (*body) (void *arg), void *arg);

/* What must hold, also in builds without assertions. */
#define fuzz_must(condition) \
	((condition) ? (void) 0 : fuzz_broken(#condition, __FILE__, __LINE__))
pg_noreturn extern void fuzz_broken(const char *condition, const char *file,
									int line);

#endif							/* XERO_FUZZ_H */
