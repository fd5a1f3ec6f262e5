/*-------------------------------------------------------------------------
 *
 * fail_nth.c
 *	  The nth call of a function by xero_fdw fails, for tests.
 *
 * What a library calls of others it finds in a table of addresses, which the
 * dynamic linker fills.  This module, preloaded after xero_fdw, puts functions
 * of its own into the tables of xero_fdw and of the libraries below it.  So it
 * sees their calls and no others: PostgreSQL, which treats some failures as
 * fatal, has a table of its own.  LD_PRELOAD could not do that, since palloc()
 * is found in the server's program first.
 *
 * What is to fail is in memory that all processes of the server share, so one
 * session says it for all of them, token workers too.  There is one order at a
 * time.
 *
 * Invariant: what stands in for a function of another library than PostgreSQL
 * neither allocates nor raises an error; it may run in a thread of libcurl's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <netdb.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_MODULE_MAGIC;

/* What is to fail, and what has happened since that was said. */
typedef struct Order
{
	char		what[32];		/* "" is nothing */
	int64		nth;			/* 1 is the next call */
	int64		times;			/* so many calls, from that one on */
	int			error;			/* errno then */
	int64		calls;
	int64		failed;
	char		masks[64];		/* see getaddrinfo() */
} Order;

static volatile Order *order;

/* A function to be replaced, in these libraries, and what it was. */
typedef struct Hook
{
	const char *libraries;		/* each between blanks */
	const char *name;
	void	   *replacement;
	void	  **real;
} Hook;

#define OURS " xero_fdw "
#define CURL " libcurl "
#define OPENSSL " libcrypto libssl "
#define BELOW " xero_fdw libcurl libz libnghttp2 "
#define JSON " libjson-c "
#define ALL BELOW OPENSSL JSON

/* All hooks are an array that the linker makes. */
#define HOOK(tag, name, libraries) \
	static const Hook hook_##tag __attribute__((section("hooks"), used)) = \
	{libraries, #name, (void *) fake_##tag, (void **) &real_##tag};
extern const Hook __start_hooks[];
extern const Hook __stop_hooks[];

/* Shall this call fail? */
static bool
fails(const char *what)
{
	int64		n;

	if (order->what[0] == '\0' ||
		strcmp((const char *) order->what, what) != 0)
		return false;
	n = __atomic_add_fetch(&order->calls, 1, __ATOMIC_SEQ_CST);
	if (n < order->nth || n - order->nth >= order->times)
		return false;
	__atomic_add_fetch(&order->failed, 1, __ATOMIC_SEQ_CST);
	errno = order->error;
	return true;
}

/* A function that returns "failure" when it fails. */
#define RETURNS(what, libraries, tag, type, name, params, args, failure) \
	static type (*real_##tag) params; \
	static type \
	fake_##tag params \
	{ \
		return fails(what) ? failure : real_##tag args; \
	} \
	HOOK(tag, name, libraries)

/* A function of PostgreSQL that raises an error when it fails. */
#define RAISES(what, type, name, params, args, raise) \
	static type (*real_##name) params; \
	static type \
	fake_##name params \
	{ \
		if (fails(what)) \
			raise; \
		return real_##name args; \
	} \
	HOOK(name, name, OURS)

/* ---- libc ---- */

#define ALLOCATES(what, libraries, tag) \
	RETURNS(what, libraries, tag##_malloc, void *, malloc, \
			(size_t size), (size), NULL) \
	RETURNS(what, libraries, tag##_calloc, void *, calloc, \
			(size_t n, size_t size), (n, size), NULL) \
	RETURNS(what, libraries, tag##_realloc, void *, realloc, \
			(void *p, size_t size), (p, size), NULL) \
	RETURNS(what, libraries, tag##_strdup, char *, strdup, \
			(const char *s), (s), NULL)

ALLOCATES("malloc", BELOW, below)
ALLOCATES("openssl", OPENSSL, openssl)
ALLOCATES("json", JSON, json)

#define SYSTEM(libraries, type, name, params, args, failure) \
	RETURNS(#name, libraries, name, type, name, params, args, failure)

SYSTEM(OURS, int, epoll_create1, (int flags), (flags), -1)
SYSTEM(OURS, int, epoll_ctl,
	   (int set, int what, int fd, struct epoll_event *event),
	   (set, what, fd, event), -1)
SYSTEM(OURS, int, epoll_wait,
	   (int set, struct epoll_event *events, int room, int timeout),
	   (set, events, room, timeout), -1)
SYSTEM(OURS, int, timerfd_create, (int clock, int flags), (clock, flags), -1)
SYSTEM(OURS, int, timerfd_settime,
	   (int fd, int flags, const struct itimerspec *new,
		struct itimerspec *old), (fd, flags, new, old), -1)
SYSTEM(CURL, int, socket,
	   (int domain, int type, int protocol), (domain, type, protocol), -1)
SYSTEM(CURL, int, connect,
	   (int fd, const struct sockaddr *address, socklen_t len),
	   (fd, address, len), -1)
SYSTEM(CURL, ssize_t, send,
	   (int fd, const void *data, size_t len, int flags),
	   (fd, data, len, flags), -1)
/* without an errno it is the end of the data */
SYSTEM(CURL, ssize_t, recv,
	   (int fd, void *data, size_t len, int flags),
	   (fd, data, len, flags), errno == 0 ? 0 : -1)

/*
 * Two names that need no name server: one does not exist, for the other none
 * answers.  Whether SIGINT, SIGTERM and SIGALRM are blocked where that is waited
 * for is noted.
 */
static int	(*real_getaddrinfo) (const char *node, const char *service,
								 const struct addrinfo *hints,
								 struct addrinfo **res);

static int
fake_getaddrinfo(const char *node, const char *service,
				 const struct addrinfo *hints, struct addrinfo **res)
{
	if (node != NULL && strcmp(node, "nowhere.invalid") == 0)
		return EAI_NONAME;
	if (node != NULL && strcmp(node, "silent.invalid") == 0)
	{
		sigset_t	mask;
		size_t		len = strlen((char *) order->masks);

		pthread_sigmask(SIG_BLOCK, NULL, &mask);
		snprintf((char *) order->masks + len, sizeof(order->masks) - len,
				 "%d%d%d ", sigismember(&mask, SIGINT),
				 sigismember(&mask, SIGTERM), sigismember(&mask, SIGALRM));
		sleep(20);
		return EAI_AGAIN;
	}
	return fails("getaddrinfo") ? EAI_MEMORY :
		real_getaddrinfo(node, service, hints, res);
}
HOOK(getaddrinfo, getaddrinfo, CURL)

/* ---- libcurl; the numbers are its CURLE_OUT_OF_MEMORY and CURLM_INTERNAL_ERROR ---- */

#define LIBCURL(type, name, params, args, failure) \
	RETURNS(#name, OURS, name, type, name, params, args, failure)
typedef void *Handle;

LIBCURL(int, curl_global_init, (long flags), (flags), 27)
LIBCURL(Handle, curl_easy_init, (void), (), NULL)
LIBCURL(Handle, curl_multi_init, (void), (), NULL)
LIBCURL(Handle, curl_url, (void), (), NULL)
LIBCURL(Handle, curl_slist_append, (Handle list, const char *s), (list, s), NULL)
LIBCURL(int, curl_multi_add_handle,
		(Handle multi, Handle easy), (multi, easy), 4)
LIBCURL(int, curl_multi_socket_action,
		(Handle multi, int fd, int what, int *running),
		(multi, fd, what, running), 4)
/* an option's value is a number or an address: always one register */
LIBCURL(int, curl_easy_setopt,
		(Handle easy, int option, void *value), (easy, option, value), 27)
LIBCURL(int, curl_multi_setopt,
		(Handle multi, int option, void *value), (multi, option, value), 4)

/* ---- PostgreSQL ---- */

static void
no_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("fail_nth")));
}

#define PALLOC(type, name, params, args) \
	RAISES("palloc", type, name, params, args, no_memory())

PALLOC(void *, palloc, (Size size), (size))
PALLOC(void *, palloc0, (Size size), (size))
PALLOC(void *, palloc_extended, (Size size, int flags), (size, flags))
PALLOC(void *, repalloc, (void *p, Size size), (p, size))
PALLOC(void *, MemoryContextAlloc, (MemoryContext cxt, Size size), (cxt, size))
PALLOC(void *, MemoryContextAllocZero,
	   (MemoryContext cxt, Size size), (cxt, size))
PALLOC(void *, MemoryContextAllocZeroAligned,
	   (MemoryContext cxt, Size size), (cxt, size))
PALLOC(void *, MemoryContextAllocExtended,
	   (MemoryContext cxt, Size size, int flags), (cxt, size, flags))
PALLOC(char *, MemoryContextStrdup,
	   (MemoryContext cxt, const char *s), (cxt, s))
PALLOC(MemoryContext, AllocSetContextCreateInternal,
	   (MemoryContext parent, const char *name, Size min, Size init, Size max),
	   (parent, name, min, init, max))
PALLOC(char *, pstrdup, (const char *s), (s))
PALLOC(char *, pnstrdup, (const char *s, Size len), (s, len))
PALLOC(void, initStringInfo, (StringInfo s), (s))
PALLOC(void, appendStringInfoString,
	   (StringInfo s, const char *text), (s, text))
PALLOC(void, appendStringInfoChar, (StringInfo s, char c), (s, c))
PALLOC(void, appendBinaryStringInfo,
	   (StringInfo s, const void *data, int len), (s, data, len))
PALLOC(List *, lappend, (List *list, void *p), (list, p))
PALLOC(List *, lappend_int, (List *list, int n), (list, n))
PALLOC(List *, list_copy, (const List *list), (list))
PALLOC(List *, list_make1_impl, (NodeTag tag, ListCell cell), (tag, cell))
PALLOC(text *, cstring_to_text, (const char *s), (s))
PALLOC(text *, cstring_to_text_with_len, (const char *s, int len), (s, len))
PALLOC(char *, text_to_cstring, (const text *s), (s))
PALLOC(char *, quote_literal_cstr, (const char *s), (s))
PALLOC(HTAB *, hash_create,
	   (const char *name, long n, const HASHCTL *info, int flags),
	   (name, n, info, flags))
PALLOC(Tuplestorestate *, tuplestore_begin_heap,
	   (bool random, bool across, int kb), (random, across, kb))
PALLOC(void, tuplestore_puttupleslot,
	   (Tuplestorestate *store, TupleTableSlot *slot), (store, slot))

/* finding and removing take no memory */
static void *(*real_hash_search) (HTAB *table, const void *key,
								  HASHACTION action, bool *found);

static void *
fake_hash_search(HTAB *table, const void *key, HASHACTION action, bool *found)
{
	if (action == HASH_ENTER && fails("palloc"))
		no_memory();
	return real_hash_search(table, key, action, found);
}
HOOK(hash_search, hash_search, OURS)

static char *(*real_psprintf) (const char *format,...);

static char *fake_psprintf(const char *format,...) pg_attribute_printf(1, 2);
static char *
fake_psprintf(const char *format,...)
{
	StringInfoData s;
	int			needed = 0;

	if (fails("palloc"))
		no_memory();
	initStringInfo(&s);
	do
	{
		va_list		args;

		enlargeStringInfo(&s, needed);
		va_start(args, format);
		needed = appendStringInfoVA(&s, format, args);
		va_end(args);
	} while (needed != 0);
	return s.data;
}
HOOK(psprintf, psprintf, OURS)

static void (*real_appendStringInfo) (StringInfo s, const char *format,...);

static void fake_appendStringInfo(StringInfo s, const char *format,...) pg_attribute_printf(2, 3);
static void
fake_appendStringInfo(StringInfo s, const char *format,...)
{
	int			needed = 0;

	if (fails("palloc"))
		no_memory();
	do
	{
		va_list		args;

		enlargeStringInfo(s, needed);
		va_start(args, format);
		needed = appendStringInfoVA(s, format, args);
		va_end(args);
	} while (needed != 0);
}
HOOK(appendStringInfo, appendStringInfo, OURS)

#define WAITSET(type, name, params, args) \
	RAISES("waitset", type, name, params, args, \
		   ereport(ERROR, \
				   (errcode(ERRCODE_INSUFFICIENT_RESOURCES), \
					errmsg("epoll_ctl() failed"))))

WAITSET(int, AddWaitEventToSet,
		(WaitEventSet *set, uint32 events, pgsocket fd, Latch *latch, void *p),
		(set, events, fd, latch, p))
WAITSET(int, WaitEventSetWait,
		(WaitEventSet *set, long timeout, WaitEvent *events, int n, uint32 info),
		(set, timeout, events, n, info))

RETURNS("worker", OURS, worker, bool, RegisterDynamicBackgroundWorker,
		(BackgroundWorker *worker, BackgroundWorkerHandle **handle),
		(worker, handle), false)

/* A worker that ends without a word, and one that has no place to work in. */
RAISES("worker_exit", void, BackgroundWorkerUnblockSignals, (void), (),
	   proc_exit(1))
RAISES("worker_fatal", void, BackgroundWorkerInitializeConnectionByOid,
	   (Oid database, Oid role, uint32 flags), (database, role, flags),
	   ereport(FATAL,
			   (errcode(ERRCODE_TOO_MANY_CONNECTIONS),
				errmsg("too many connections"))))

/* ---- tables of addresses ---- */

/* A library's table, as the dynamic linker sees it. */
typedef struct Tables
{
	const char *strings;
	const ElfW(Sym) *symbols;
	const ElfW(Rela) *lists[2];
	size_t		sizes[2];
} Tables;

static Tables
find_tables(const struct dl_phdr_info *object)
{
	const ElfW(Dyn) *entry = NULL;
	Tables		tables = {0};

	for (int i = 0; i < object->dlpi_phnum; i++)
	{
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			entry = (void *) (object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
	}
	for (; entry != NULL && entry->d_tag != DT_NULL; entry++)
	{
		switch (entry->d_tag)
		{
			case DT_STRTAB:
				tables.strings = (void *) entry->d_un.d_ptr;
				break;
			case DT_SYMTAB:
				tables.symbols = (void *) entry->d_un.d_ptr;
				break;
			case DT_RELA:
				tables.lists[0] = (void *) entry->d_un.d_ptr;
				break;
			case DT_RELASZ:
				tables.sizes[0] = entry->d_un.d_val;
				break;
			case DT_JMPREL:
				tables.lists[1] = (void *) entry->d_un.d_ptr;
				break;
			case DT_PLTRELSZ:
				tables.sizes[1] = entry->d_un.d_val;
				break;
		}
	}
	return tables;
}

/* The table may have been made read-only. */
static void
put(void **slot, void *value)
{
	size_t		size = sysconf(_SC_PAGESIZE);
	void	   *page = (void *) ((uintptr_t) slot / size * size);

	if (mprotect(page, size, PROT_READ | PROT_WRITE) != 0)
		elog(ERROR, "mprotect: %m");
	*slot = value;
}

static void
replace(void **slot, const char *name, const char *library)
{
	for (const Hook *hook = __start_hooks; hook < __stop_hooks; hook++)
	{
		if (strcmp(hook->name, name) == 0 &&
			strstr(hook->libraries, library) != NULL &&
			*slot == *hook->real)
		{
			put(slot, hook->replacement);
			return;
		}
	}
}

/* " NAME " of a path like /lib/NAME.so.4 */
static char *
name_of(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base == NULL ? path : base + 1;
	return psprintf(" %.*s ", (int) strcspn(base, "."), base);
}

static int
patch(struct dl_phdr_info *object, size_t size, void *arg)
{
	char	   *library = name_of(object->dlpi_name);
	Tables		tables;

	if (strstr(ALL, library) == NULL)
		return 0;
	tables = find_tables(object);
	for (int list = 0; list < 2; list++)
	{
		for (size_t i = 0; i < tables.sizes[list] / sizeof(ElfW(Rela)); i++)
		{
			const ElfW(Rela) *entry = &tables.lists[list][i];
			size_t		symbol = ELF64_R_SYM(entry->r_info);

			if (symbol != 0)
				replace((void **) (object->dlpi_addr + entry->r_offset),
						tables.strings + tables.symbols[symbol].st_name,
						library);
		}
	}
	return 0;
}

void		_PG_init(void);

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		elog(ERROR, "fail_nth must be preloaded");
	order = mmap(NULL, sizeof(Order), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (order == MAP_FAILED)
		elog(ERROR, "mmap: %m");
	for (const Hook *hook = __start_hooks; hook < __stop_hooks; hook++)
		*hook->real = dlsym(RTLD_DEFAULT, hook->name);
	dl_iterate_phdr(patch, NULL);
}

/* ---- for SQL ---- */

/* fail_nth(what, nth, times, errno): from now on. */
PG_FUNCTION_INFO_V1(fail_nth);
Datum
fail_nth(PG_FUNCTION_ARGS)
{
	order->what[0] = '\0';
	order->calls = order->failed = 0;
	order->nth = PG_GETARG_INT64(1);
	order->times = PG_GETARG_INT64(2);
	order->error = PG_GETARG_INT32(3);
	order->masks[0] = '\0';
	strlcpy((char *) order->what, text_to_cstring(PG_GETARG_TEXT_PP(0)),
			sizeof(order->what));
	PG_RETURN_VOID();
}

/* fail_no_more(): so many calls there were, and failures. */
PG_FUNCTION_INFO_V1(fail_no_more);
Datum
fail_no_more(PG_FUNCTION_ARGS)
{
	order->what[0] = '\0';
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%lld %lld",
											  (long long) order->calls,
											  (long long) order->failed)));
}

PG_FUNCTION_INFO_V1(silent_masks);
Datum
silent_masks(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text((char *) order->masks));
}

/*
 * How many descriptors this process has that are not files: sockets and the
 * like.  Of files the server keeps some open.
 */
PG_FUNCTION_INFO_V1(descriptors);
Datum
descriptors(PG_FUNCTION_ARGS)
{
	int			n = 0;

	for (int fd = 0; fd < 1024; fd++)
	{
		struct stat status;

		if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
			n++;
	}
	PG_RETURN_INT32(n);
}

/* What this process has of malloc(), in bytes. */
PG_FUNCTION_INFO_V1(allocated);
Datum
allocated(PG_FUNCTION_ARGS)
{
	struct mallinfo2 info = mallinfo2();

	PG_RETURN_INT64(info.uordblks + info.hblkhd);
}
