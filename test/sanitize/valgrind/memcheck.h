/*
 * PostgreSQL's marks for Valgrind, as marks for AddressSanitizer.
 *
 * PostgreSQL built with USE_VALGRIND says of each chunk of memory, with the
 * macros of <valgrind/memcheck.h>, from when to when and how far it may be
 * touched.  With this header in place of Valgrind's, AddressSanitizer knows
 * of chunks, rather than only of the large blocks that they are cut from.
 *
 * It tells memory that may be touched from memory that may not, but nothing of
 * whether it was written.
 */
#ifndef XERO_SANITIZE_MEMCHECK_H
#define XERO_SANITIZE_MEMCHECK_H

#include <sanitizer/asan_interface.h>

#define VALGRIND_MAKE_MEM_NOACCESS(start, size) \
	__asan_poison_memory_region((start), (size))
#define VALGRIND_MAKE_MEM_UNDEFINED(start, size) \
	__asan_unpoison_memory_region((start), (size))
#define VALGRIND_MAKE_MEM_DEFINED(start, size) \
	__asan_unpoison_memory_region((start), (size))

/* What is freed has been wiped, and wipe_mem() marks it. */
#define VALGRIND_MEMPOOL_ALLOC(pool, start, size) \
	__asan_unpoison_memory_region((start), (size))
#define VALGRIND_MEMPOOL_CHANGE(pool, old, start, size) \
	__asan_unpoison_memory_region((start), (size))
#define VALGRIND_MEMPOOL_FREE(pool, start)			((void) 0)
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed)	((void) 0)
#define VALGRIND_DESTROY_MEMPOOL(pool)				((void) 0)

#define VALGRIND_CHECK_MEM_IS_DEFINED(start, size)	((void) 0)

#endif							/* XERO_SANITIZE_MEMCHECK_H */
