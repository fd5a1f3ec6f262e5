/*-------------------------------------------------------------------------
 *
 * loopback.h
 *	  Hosts that are this very machine, so that http:// to them is no leak.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_LOOPBACK_H
#define XERO_LOOPBACK_H

#include "compat.h"

#include <arpa/inet.h>

/* "host" is the host of a URL; an IPv6 address is in brackets. */
static inline bool
xero_is_loopback(const char *host, size_t len)
{
	char		text[64];
	struct in_addr address;

	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &address) == 1)
		return (ntohl(address.s_addr) >> 24) == 127;
	return pg_strcasecmp(text, "localhost") == 0 || strcmp(text, "[::1]") == 0;
}

#endif							/* XERO_LOOPBACK_H */
