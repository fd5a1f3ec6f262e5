/*-------------------------------------------------------------------------
 *
 * download.c
 *	  Download pages, one after the other, and throw them away: the floor
 *	  under any reader that asks for one page at a time.
 *
 * usage: download gzip|identity TOKEN TENANT < urls
 *        download --version
 *
 * One connection, kept alive; the headers that the extension sends.  With
 * "gzip" the bodies travel compressed and are inflated, as the extension does,
 * because only then has the client what it asked for.
 *
 * Prints: pages, bytes after inflating, seconds, CPU seconds, peak RSS in kB.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MAX_URL 2200

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "download: %s: %s\n", what, why);
	exit(1);
}

static size_t
discard(char *data, size_t size, size_t n, void *total)
{
	*(long long *) total += (long long) (size * n);
	return size * n;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * In kB.  Not ru_maxrss, which counts what the process was before exec.
 */
static long
peak_rss(void)
{
	char		line[256];
	long		peak = -1;
	FILE	   *status = fopen("/proc/self/status", "r");

	if (status == NULL)
		fail("/proc/self/status", "cannot be read");
	while (fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "VmHWM: %ld kB", &peak) == 1)
			break;
	fclose(status);
	return peak;
}

static double
seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

static struct curl_slist *
make_headers(const char *token, const char *tenant)
{
	char		line[4096];
	struct curl_slist *headers = NULL;

	headers = curl_slist_append(headers, "Accept: application/json");
	snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, line);
	snprintf(line, sizeof(line), "xero-tenant-id: %s", tenant);
	headers = curl_slist_append(headers, line);
	if (headers == NULL)
		fail("headers", "out of memory");
	return headers;
}

static void
get(CURL *easy, const char *url)
{
	long		status = 0;
	CURLcode	rc;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	rc = curl_easy_perform(easy);
	if (rc != CURLE_OK)
		fail(url, curl_easy_strerror(rc));
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		fail(url, "not answered with 200");
}

int
main(int argc, char **argv)
{
	char		url[MAX_URL];
	long long	bytes = 0;
	long		pages = 0;
	double		start;
	double		elapsed;
	struct rusage usage;
	CURL	   *easy;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
	{
		puts(curl_version());
		return 0;
	}
	if (argc != 4 ||
		(strcmp(argv[1], "gzip") != 0 && strcmp(argv[1], "identity") != 0))
		fail("usage", "download gzip|identity TOKEN TENANT < urls");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	easy = curl_easy_init();
	if (easy == NULL)
		fail("curl", "cannot begin");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, make_headers(argv[2], argv[3]));
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, argv[1]);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 512L * 1024);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &bytes);

	start = now();
	while (fgets(url, sizeof(url), stdin) != NULL)
	{
		url[strcspn(url, "\n")] = '\0';
		get(easy, url);
		pages++;
	}
	elapsed = now() - start;
	if (pages == 0)
		fail("standard input", "no URLs");

	getrusage(RUSAGE_SELF, &usage);
	printf("%ld %lld %.6f %.6f %ld\n", pages, bytes, elapsed,
		   seconds(usage.ru_utime) + seconds(usage.ru_stime), peak_rss());
	return 0;
}
