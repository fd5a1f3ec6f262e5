/*-------------------------------------------------------------------------
 *
 * http.c
 *	  HTTP transfers: the only file that knows libcurl.
 *
 * A backend has one curl multi handle, made at first use and kept until it
 * exits, so that connections (and on HTTP/2 one connection for all calls)
 * survive from statement to statement.  Nothing here sleeps: curl says which
 * sockets it waits for and until when, and eventloop.c wakes the backend for
 * them.
 *
 * Rules:
 *	- curl's callbacks neither allocate from memory contexts nor raise errors;
 *	  they record what happened, and end the transfer.
 *	- Every curl call that may start work runs with all signals blocked: curl
 *	  resolves names in a thread, which inherits the mask and must not run
 *	  PostgreSQL's signal handlers.
 *	- A transfer is malloc'ed and owned by one caller, who frees it from a
 *	  memory context callback.  Freeing does no network I/O and does not join
 *	  the resolver's thread (QUICK_EXIT), which would block as long as the name
 *	  server is silent.
 *	- A freed transfer keeps its handle and its body buffer for the next one.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "api/http/eventloop.h"
#include "api/http/http.h"
#include "base/loopback.h"
#include "base/version.h"
#include "lib/ilist.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

/*
 * The largest body that is read, after decompression.
 *
 * A page of 1,000 invoices with three lines each is 2.2 MB; a page of 1,000
 * with a hundred lines each, which few organisations ever see, is some 60 MB.
 * The largest unpaged answers (reports, journals) stay far below that.  256 MB
 * therefore never refuses a real answer, while the five calls that may be in
 * flight cannot take more than a server can spare, and a faulty or malicious
 * answer (endless, or gzip that expands a thousandfold) ends as an error of
 * one statement instead of inviting the out-of-memory killer.
 */
#define MAX_BODY ((size_t) 256 * 1024 * 1024)

/* What a freed transfer may keep, and how many are kept. */
#define MAX_KEPT_BODY ((size_t) 8 * 1024 * 1024)
#define MAX_KEPT 6

/* What is shorter is no secret, and may be part of any word. */
#define MIN_SECRET 8

/* Establishing a connection, name look-up and TLS included, in ms. */
#define CONNECT_TIMEOUT 10000

/* How much is read from a socket at once: larger, so fewer wake-ups. */
#define READ_BUFFER (256 * 1024L)

/*
 * libcurl may take in a whole body before it comes back: a compressed one may
 * expand to MAX_BODY.  After so many bytes signals are looked for.
 */
#define LOOK_INTERVAL ((size_t) 1024 * 1024)

struct XeroHttp
{
	CURL	   *easy;
	struct curl_slist *headers;
	size_t		capacity;		/* of result.body */
	bool		active;			/* in the multi handle */
	bool		done;
	bool		no_memory;
	bool		too_large;
	bool		begun;			/* the request has been sent, or begun to be */
	bool		spoiled;		/* the handle was in a multi handle that broke */
	size_t		looked_at;		/* result.len when signals were looked for */
	XeroHttpResult result;
	char		errbuf[CURL_ERROR_SIZE];
	dlist_node	node;			/* in "transfers" while active */
};

static CURLM *multi = NULL;

/* What the multi handle works on. */
static dlist_head transfers = DLIST_STATIC_INIT(transfers);

/* Why the multi handle is of no use any more; NULL if it is. */
static const char *engine_fault = NULL;

/*
 * A transfer had no answer in time.  On HTTP/2 that ends a stream and not its
 * connection, which may be dead: those that are open are not used again.
 */
static bool suspect = false;

static XeroHttp *kept[MAX_KEPT];
static int	nkept = 0;

static void
block_signals(sigset_t *saved)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, saved);
}

static void
restore_signals(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

/* ---- callbacks of curl: no palloc, no ereport ---- */

/* A child that COPY or an archiver starts has no use for our connections. */
static int
keep_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK :
		CURL_SOCKOPT_ERROR;
}

/* curl wants to be told of events on a socket, or no longer. */
static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	if (what == CURL_POLL_REMOVE)
		xero_unwatch_socket(fd);
	else if (!xero_watch_socket(fd, (what & CURL_POLL_IN) != 0,
								(what & CURL_POLL_OUT) != 0))
	{
		engine_fault = "Could not wait for a socket";
		return -1;
	}
	return 0;
}

/* curl wants to be called again in so many ms; -1: not at all. */
static int
set_timer(CURLM *handle, long timeout_ms, void *arg)
{
	if (xero_set_timer(timeout_ms))
		return 0;
	engine_fault = "Could not set a timer";
	return -1;
}

static bool
is_over(TimeoutId timeout)
{
	return get_timeout_active(timeout) &&
		get_timeout_finish_time(timeout) <= GetCurrentTimestamp();
}

/*
 * Has something come that ends the statement?  While curl works signals are
 * blocked, so that their handlers cannot say so; and that of a timeout does
 * not tell which one it is.
 */
static bool
is_interrupted(void)
{
	sigset_t	pending;

	if (is_over(STATEMENT_TIMEOUT))
		return true;
#ifdef XERO_HAVE_TRANSACTION_TIMEOUT
	if (is_over(TRANSACTION_TIMEOUT))
		return true;
#endif
	return sigpending(&pending) == 0 &&
		(sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

/* Make room for "wanted" bytes and a NUL. */
static bool
reserve(XeroHttp *http, size_t wanted)
{
	size_t		capacity = Max(http->capacity, 64 * 1024);
	char	   *body;

	if (wanted < http->capacity)
		return true;
	while (capacity <= wanted)
		capacity *= 2;
	body = realloc(http->result.body, capacity);
	if (body == NULL)
		return false;
	http->result.body = body;
	http->capacity = capacity;
	return true;
}

static size_t
take_body(char *data, size_t size, size_t nmemb, void *arg)
{
	XeroHttp   *http = arg;
	XeroHttpResult *result = &http->result;
	size_t		n = size * nmemb;

	if (n > MAX_BODY - result->len)
	{
		http->too_large = true;
		return 0;
	}
	if (result->len == 0)
	{
		curl_off_t	length = -1;

		curl_easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
						  &length);
		if (length > 0 && (size_t) length <= MAX_BODY)
			(void) reserve(http, (size_t) length);
	}
	if (result->len - http->looked_at >= LOOK_INTERVAL)
	{
		http->looked_at = result->len;
		if (is_interrupted())
			return 0;
	}
	if (!reserve(http, result->len + n))
	{
		http->no_memory = true;
		return 0;
	}
	memcpy(result->body + result->len, data, n);
	result->len += n;
	result->body[result->len] = '\0';
	return n;
}

/*
 * If the line is this header, its value (without blanks around it) and true.
 */
static bool
header_is(const char *line, size_t len, const char *name,
		  const char **value, size_t *vallen)
{
	size_t		n = strlen(name);

	if (len <= n || line[n] != ':' || pg_strncasecmp(line, name, n) != 0)
		return false;
	line += n + 1;
	len -= n + 1;
	while (len > 0 && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' ||
					   line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	*value = line;
	*vallen = len;
	return true;
}

/* Printable ASCII only, so that it may be shown anywhere. */
static void
take_text(char *dest, size_t size, const char *value, size_t len)
{
	len = Min(len, size - 1);
	for (size_t i = 0; i < len; i++)
		dest[i] = value[i] >= ' ' && value[i] < 0x7f ? value[i] : '?';
	dest[len] = '\0';
}

/* A whole number of seconds or calls; anything else counts as absent. */
static void
take_number(int *dest, const char *value, size_t len)
{
	int64		n = 0;

	if (len == 0 || len > 9)
		return;
	for (size_t i = 0; i < len; i++)
	{
		if (value[i] < '0' || value[i] > '9')
			return;
		n = n * 10 + (value[i] - '0');
	}
	*dest = (int) n;
}

static void
take_date(XeroHttpResult *result, const char *value, size_t len)
{
	char		text[64];

	take_text(text, sizeof(text), value, len);
	result->date = curl_getdate(text, NULL);
	result->date_seen = GetCurrentTimestamp();
}

/* Seconds, or a date, which complete() makes seconds of. */
static void
take_retry_after(XeroHttpResult *result, const char *value, size_t len)
{
	char		text[64];

	take_number(&result->retry_after, value, len);
	if (len > 0 && isalpha((unsigned char) value[0]))
	{
		take_text(text, sizeof(text), value, len);
		result->retry_at = curl_getdate(text, NULL);
	}
}

/* From Xero's now, if it says when that is, to its retry_at. */
static int
seconds_to_retry(const XeroHttpResult *result)
{
	int64		now = result->date >= 0 ? result->date : (int64) time(NULL);

	return (int) Max(0, Min(result->retry_at - now, PG_INT32_MAX));
}

static void
forget_answer(XeroHttpResult *result)
{
	char	   *body = result->body;

	memset(result, 0, sizeof(*result));
	result->body = body;
	result->retry_after = -1;
	result->retry_at = -1;
	result->minute_remaining = -1;
	result->day_remaining = -1;
	result->app_minute_remaining = -1;
	result->date = -1;
}

static size_t
take_header(char *line, size_t size, size_t nmemb, void *arg)
{
	XeroHttpResult *result = &((XeroHttp *) arg)->result;
	size_t		n = size * nmemb;
	const char *value;
	size_t		len;

	/* An interim answer (100, 103) is followed by the real one. */
	if (n > 5 && strncmp(line, "HTTP/", 5) == 0)
		forget_answer(result);
	else if (header_is(line, n, "content-type", &value, &len))
		take_text(result->content_type, sizeof(result->content_type),
				  value, len);
	else if (header_is(line, n, "xero-correlation-id", &value, &len))
		take_text(result->correlation_id, sizeof(result->correlation_id),
				  value, len);
	else if (header_is(line, n, "www-authenticate", &value, &len))
		take_text(result->authenticate, sizeof(result->authenticate),
				  value, len);
	else if (header_is(line, n, "x-rate-limit-problem", &value, &len))
		take_text(result->problem, sizeof(result->problem), value, len);
	else if (header_is(line, n, "retry-after", &value, &len))
		take_retry_after(result, value, len);
	else if (header_is(line, n, "x-minlimit-remaining", &value, &len))
		take_number(&result->minute_remaining, value, len);
	else if (header_is(line, n, "x-daylimit-remaining", &value, &len))
		take_number(&result->day_remaining, value, len);
	else if (header_is(line, n, "x-appminlimit-remaining", &value, &len))
		take_number(&result->app_minute_remaining, value, len);
	else if (header_is(line, n, "date", &value, &len))
		take_date(result, value, len);
	return n;
}

/* ---- the engine ---- */

/*
 * Whether the connection was ready to be used, and was.  (The times that
 * libcurl measures do not tell: 8.23 sets those of later phases also where an
 * earlier one failed.)
 */
static bool
was_sent(const XeroHttp *http)
{
	long		sent = 0;

	curl_easy_getinfo(http->easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent > 0;
}

/* Has the status of an answer come? */
static bool
has_begun(const XeroHttp *http)
{
	long		status = 0;

	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	return status > 0;
}

static XeroTransport
lack_of_memory(const XeroHttp *http)
{
	return was_sent(http) ? XERO_TRANSPORT_NO_MEMORY : XERO_TRANSPORT_UNMADE;
}

/* What curl's result code means to the layers above. */
static XeroTransport
transport_of(const XeroHttp *http, CURLcode code)
{
	if (http->too_large)
		return XERO_TRANSPORT_TOO_LARGE;
	if (http->no_memory)
		return lack_of_memory(http);
	switch (code)
	{
		case CURLE_OK:
			return XERO_TRANSPORT_ANSWERED;
		case CURLE_OUT_OF_MEMORY:
			/* older versions say so of a header line that is too long, too */
			return has_begun(http) ? XERO_TRANSPORT_LOST :
				lack_of_memory(http);
		case CURLE_FILESIZE_EXCEEDED:
			return XERO_TRANSPORT_TOO_LARGE;
		case CURLE_URL_MALFORMAT:
			return XERO_TRANSPORT_UNSENDABLE;
		case CURLE_UNSUPPORTED_PROTOCOL:
			/* our URL's, or that of an answer which is not HTTP */
			return was_sent(http) ? XERO_TRANSPORT_LOST :
				XERO_TRANSPORT_UNSENDABLE;
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_SSL_INVALIDCERTSTATUS:
			return XERO_TRANSPORT_UNTRUSTED;
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_CONNECT:
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_ABORTED_BY_CALLBACK:
			/* a kept connection may have taken it, and broken */
			return was_sent(http) ? XERO_TRANSPORT_LOST :
				XERO_TRANSPORT_NO_CONNECTION;
		case CURLE_OPERATION_TIMEDOUT:
			return was_sent(http) ? XERO_TRANSPORT_TIMED_OUT :
				XERO_TRANSPORT_NO_CONNECTION;
		default:
			return XERO_TRANSPORT_LOST;
	}
}

static void
complete(XeroHttp *http, CURLcode code)
{
	XeroHttpResult *result = &http->result;
	curl_off_t	n = 0;
	long		status = 0;

	result->transport = transport_of(http, code);
	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	result->status = (int) status;
	curl_easy_getinfo(http->easy, CURLINFO_SIZE_DOWNLOAD_T, &n);
	result->bytes_in = n;
	curl_easy_getinfo(http->easy, CURLINFO_TOTAL_TIME_T, &n);
	result->elapsed_ms = n / 1000.0;
	if (result->retry_at >= 0)
		result->retry_after = seconds_to_retry(result);
	/* of an empty body, too: a buffer used again holds the answer before */
	if (reserve(http, result->len))
		result->body[result->len] = '\0';
	else
		result->transport = lack_of_memory(http);
	if (code == CURLE_OUT_OF_MEMORY &&
		result->transport == XERO_TRANSPORT_LOST)
		strlcpy(result->error, "Out of memory, or a header line is too long",
				sizeof(result->error));
	else if (code != CURLE_OK)
		strlcpy(result->error, http->errbuf[0] != '\0' ? http->errbuf :
				curl_easy_strerror(code), sizeof(result->error));
	if (result->transport == XERO_TRANSPORT_TIMED_OUT)
		suspect = true;
	http->done = true;
}

/* What curl says of a call that made the multi handle work. */
static void
check_engine(CURLMcode code)
{
	if (code != CURLM_OK && engine_fault == NULL)
		engine_fault = curl_multi_strerror(code);
}

/* Take the finished transfers out of the multi handle. */
static void
collect(void)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(multi, &left)) != NULL)
	{
		CURLcode	code = message->data.result;
		CURL	   *easy = message->easy_handle;
		XeroHttp   *http = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &http);
		curl_multi_remove_handle(multi, easy);
		http->active = false;
		dlist_delete(&http->node);
		complete(http, code);
	}
}

/*
 * The multi handle is of no use any more: all its transfers fail, and the next
 * one makes another.  Not to be called from within curl.
 */
static void
drop_engine(void)
{
	sigset_t	saved;

	block_signals(&saved);
	collect();
	while (!dlist_is_empty(&transfers))
	{
		XeroHttp   *http = dlist_container(XeroHttp, node,
										   dlist_pop_head_node(&transfers));

		http->active = false;
		http->spoiled = true;
		strlcpy(http->errbuf, engine_fault, sizeof(http->errbuf));
		complete(http, CURLE_ABORTED_BY_CALLBACK);
		curl_multi_remove_handle(multi, http->easy);
	}
	curl_multi_cleanup(multi);
	restore_signals(&saved);
	multi = NULL;
	engine_fault = NULL;
	suspect = false;
}

/*
 * libcurl opens a pair of sockets with a multi handle and tells nobody, but
 * they must not go to the backend's children either.  They get the lowest
 * numbers that are free.
 */
static CURLM *
make_multi(void)
{
	int			lowest[2];
	CURLM	   *made;

	for (int i = 0; i < lengthof(lowest); i++)
		lowest[i] = dup(STDERR_FILENO);
	for (int i = 0; i < lengthof(lowest); i++)
		close(lowest[i]);
	made = curl_multi_init();
	for (int i = 0; i < lengthof(lowest); i++)
		(void) fcntl(lowest[i], F_SETFD, FD_CLOEXEC);
	return made;
}

/* A multi handle; NULL if there is no memory. */
static CURLM *
make_engine(void)
{
	CURLM	   *made;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	made = make_multi();
	if (made == NULL)
		return NULL;
	if (curl_multi_setopt(made, CURLMOPT_SOCKETFUNCTION, watch_socket) != CURLM_OK ||
		curl_multi_setopt(made, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK ||
		curl_multi_setopt(made, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK ||
		curl_multi_setopt(made, CURLMOPT_MAXCONNECTS, 16L) != CURLM_OK)
	{
		curl_multi_cleanup(made);
		return NULL;
	}
#if LIBCURL_VERSION_NUM >= 0x081400
	(void) curl_multi_setopt(made, CURLMOPT_QUICK_EXIT, 1L);
#endif
	return made;
}

static void
start_engine(void)
{
	sigset_t	saved;

	if (engine_fault != NULL || (suspect && dlist_is_empty(&transfers)))
		drop_engine();
	if (multi != NULL)
		return;

	xero_eventloop_init();
	block_signals(&saved);
	multi = make_engine();
	restore_signals(&saved);
	if (multi == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not initialize the HTTP library")));
}

bool
xero_http_pump(void)
{
	XeroReady	ready[16];
	sigset_t	saved;
	int			n;

	if (engine_fault != NULL)
	{
		drop_engine();
		return true;
	}

	/*
	 * Since 8.10 libcurl closes connections in its own time, also when no
	 * transfer runs.  What is ready is looked at in any case, as it would end
	 * each sleep at once.
	 */
	n = xero_find_ready(ready, lengthof(ready));
	if (n == 0 || multi == NULL)
		return false;

	block_signals(&saved);
	for (int i = 0; i < n && engine_fault == NULL; i++)
	{
		curl_socket_t fd = ready[i].fd < 0 ? CURL_SOCKET_TIMEOUT : ready[i].fd;
		int			what = 0;
		int			running;

		if (ready[i].readable)
			what |= CURL_CSELECT_IN;
		if (ready[i].writable)
			what |= CURL_CSELECT_OUT;
		if (ready[i].broken)
			what |= CURL_CSELECT_ERR;
		check_engine(curl_multi_socket_action(multi, fd, what, &running));
	}
	collect();
	restore_signals(&saved);
	if (engine_fault != NULL)
		drop_engine();
	return true;
}

/* ---- transfers ---- */

/* A transfer without a request; NULL if there is no memory. */
static XeroHttp *
make_transfer(void)
{
	XeroHttp   *http;

	if (nkept > 0)
		return kept[--nkept];

	http = calloc(1, sizeof(XeroHttp));
	if (http == NULL)
		return NULL;
	http->easy = curl_easy_init();
	if (http->easy == NULL)
	{
		free(http);
		return NULL;
	}
	return http;
}

/*
 * Does the URL lead to this very machine, so that http:// is no leak?  One that
 * is malformed does not; curl will say so.
 */
static CURLcode
find_loopback(const char *url, bool *loopback)
{
	CURLU	   *parsed = curl_url();
	char	   *host = NULL;
	CURLUcode	code = CURLUE_OUT_OF_MEMORY;

	if (parsed != NULL)
		code = curl_url_set(parsed, CURLUPART_URL, url, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(parsed, CURLUPART_HOST, &host, 0);
	*loopback = code == CURLUE_OK && xero_is_loopback(host, strlen(host));
	curl_free(host);
	curl_url_cleanup(parsed);
	return code == CURLUE_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_OK;
}

/* A line break in a value would smuggle in a header. */
static bool
add_header(XeroHttp *http, const char *header)
{
	struct curl_slist *longer;

	if (strpbrk(header, "\r\n") != NULL)
	{
		strlcpy(http->errbuf, "A header contains a line break",
				sizeof(http->errbuf));
		return false;
	}
	longer = curl_slist_append(http->headers, header);
	if (longer == NULL)
	{
		http->no_memory = true;
		return false;
	}
	http->headers = longer;
	return true;
}

#define SET(option, value) \
	do { \
		CURLcode rc_ = curl_easy_setopt(http->easy, option, value); \
		if (rc_ != CURLE_OK) \
			return rc_; \
	} while (0)

/* Who may be talked to, and how. */
static CURLcode
set_security(XeroHttp *http, const XeroHttpRequest *request)
{
	bool		loopback;
	CURLcode	code = find_loopback(request->url, &loopback);

	if (code != CURLE_OK)
		return code;
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, loopback ? "http,https" : "https");
#else
	SET(CURLOPT_PROTOCOLS,
		(long) (CURLPROTO_HTTPS | (loopback ? CURLPROTO_HTTP : 0)));
#endif
	if (loopback)
		SET(CURLOPT_PROXY, "");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	if (request->ca_file != NULL)
		SET(CURLOPT_CAINFO, request->ca_file);
	if (request->user != NULL)
	{
		SET(CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, request->user);
		SET(CURLOPT_PASSWORD, request->password ? request->password : "");
	}
	return CURLE_OK;
}

/* How this backend does transfers. */
static CURLcode
set_manners(XeroHttp *http, const XeroHttpRequest *request)
{
	bool		plain = pg_strncasecmp(request->url, "http://", 7) == 0;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_SOCKOPTFUNCTION, keep_socket);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	SET(CURLOPT_PRIVATE, http);
	SET(CURLOPT_ERRORBUFFER, http->errbuf);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, http);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, http);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) MAX_BODY);
	/* refused, and superfluous, while the handle still has its last buffer */
	(void) curl_easy_setopt(http->easy, CURLOPT_BUFFERSIZE, READ_BUFFER);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	SET(CURLOPT_USERAGENT, "xero_fdw/" XERO_FDW_VERSION);
	SET(CURLOPT_TIMEOUT_MS, (long) request->timeout);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
		(long) Min(request->timeout, CONNECT_TIMEOUT));
	/* a curl without HTTP/2 refuses the option, and does very well without */
	(void) curl_easy_setopt(http->easy, CURLOPT_HTTP_VERSION,
							plain ? (long) CURL_HTTP_VERSION_1_1 :
							(long) CURL_HTTP_VERSION_2TLS);
	SET(CURLOPT_PIPEWAIT, 1L);
	if (suspect)
		SET(CURLOPT_FRESH_CONNECT, 1L);
	return CURLE_OK;
}

#if LIBCURL_VERSION_NUM >= 0x075000
/*
 * Called before libcurl sends the request.  It does so once more, by itself,
 * where a kept connection broke before an answer began, or an HTTP/2 server
 * refused the stream.  Xero may have counted the first one, or even carried it
 * out, so whether to send another is the caller's decision.
 */
static int
send_once(void *arg, char *remote_ip, char *local_ip, int remote_port,
		  int local_port)
{
	XeroHttp   *http = arg;

	if (http->begun)
		return CURL_PREREQFUNC_ABORT;
	http->begun = true;
	return CURL_PREREQFUNC_OK;
}
#endif

static CURLcode
set_request(XeroHttp *http, const XeroHttpRequest *request)
{
	SET(CURLOPT_URL, request->url);
	if (request->body != NULL)
	{
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) strlen(request->body));
		SET(CURLOPT_POSTFIELDS, request->body);
	}
#if LIBCURL_VERSION_NUM >= 0x075000
	SET(CURLOPT_PREREQFUNCTION, send_once);
	SET(CURLOPT_PREREQDATA, http);
#endif
	if (request->body != NULL || strcmp(request->method, "GET") != 0)
	{
		SET(CURLOPT_CUSTOMREQUEST, request->method);
#if LIBCURL_VERSION_NUM < 0x075000
		SET(CURLOPT_FRESH_CONNECT, 1L);
#endif
	}

	for (int i = 0; i < lengthof(request->headers) &&
		 request->headers[i] != NULL; i++)
	{
		if (!add_header(http, request->headers[i]))
			return http->no_memory ? CURLE_OUT_OF_MEMORY :
				CURLE_URL_MALFORMAT;
	}
	/* no round trip to ask whether a body is welcome */
	if (request->body != NULL && !add_header(http, "Expect:"))
		return CURLE_OUT_OF_MEMORY;
	SET(CURLOPT_HTTPHEADER, http->headers);
	return CURLE_OK;
}

XeroHttp *
xero_http_send(const XeroHttpRequest *request)
{
	XeroHttp   *http;
	CURLcode	code;
	sigset_t	saved;

	start_engine();
	http = make_transfer();
	if (http == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Could not make a handle of the HTTP library.")));

	forget_answer(&http->result);
	code = set_manners(http, request);
	if (code == CURLE_OK)
		code = set_security(http, request);
	if (code == CURLE_OK)
		code = set_request(http, request);
	if (code == CURLE_OK)
	{
		CURLMcode	added;

		block_signals(&saved);
		added = curl_multi_add_handle(multi, http->easy);
		restore_signals(&saved);
		if (added == CURLM_OUT_OF_MEMORY && engine_fault == NULL)
			code = CURLE_OUT_OF_MEMORY;
		else
		{
			dlist_push_tail(&transfers, &http->node);
			http->active = true;
			check_engine(added);
			if (engine_fault != NULL)
				drop_engine();
		}
	}
	if (code != CURLE_OK)
		complete(http, code);
	return http;
}

const XeroHttpResult *
xero_http_result(const XeroHttp *http)
{
	return http->done ? &http->result : NULL;
}

/* The whole secret, or what a cut text ends with of it. */
static void
hide(char *text, size_t len, const char *secret)
{
	size_t		secret_len = strlen(secret);

	for (size_t i = 0; i < len; i++)
	{
		size_t		n = 0;

		while (n < secret_len && i + n < len && text[i + n] == secret[n])
			n++;
		if (n == secret_len || (n >= MIN_SECRET && i + n == len))
		{
			memset(text + i, '*', n);
			i += n - 1;
		}
	}
}

void
xero_http_hide(XeroHttp *http, const char *secret)
{
	XeroHttpResult *result = &http->result;

	if (strlen(secret) < MIN_SECRET)
		return;
	if (result->body != NULL)
		hide(result->body, result->len, secret);
	hide(result->authenticate, strlen(result->authenticate), secret);
	hide(result->correlation_id, strlen(result->correlation_id), secret);
	hide(result->problem, strlen(result->problem), secret);
}

void
xero_http_free(XeroHttp *http)
{
	sigset_t	saved;
	char	   *body = http->result.body;
	size_t		capacity = http->capacity;
	CURL	   *easy = http->easy;

	block_signals(&saved);
	if (http->active)
	{
		curl_multi_remove_handle(multi, easy);
		dlist_delete(&http->node);
	}
	curl_easy_reset(easy);
	restore_signals(&saved);
	curl_slist_free_all(http->headers);

	if (capacity > MAX_KEPT_BODY)
	{
		free(body);
		body = NULL;
		capacity = 0;
	}

	/*
	 * A handle that a multi handle failed to take remembers timers of that,
	 * and has libcurl 8.14 set none in the next one.
	 */
	if (nkept == MAX_KEPT || http->spoiled)
	{
		block_signals(&saved);
		curl_easy_cleanup(easy);
		restore_signals(&saved);
		free(body);
		free(http);
		return;
	}
	memset(http, 0, sizeof(*http));
	http->easy = easy;
	http->result.body = body;
	http->capacity = capacity;
	kept[nkept++] = http;
}
