/*-------------------------------------------------------------------------
 *
 * tenant.h
 *	  Which organisations a server stands for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_TENANT_H
#define XERO_TENANT_H

#include "compat.h"

#include "api/call.h"
#include "utils/uuid.h"

/* The longest CountryCode, and a zero byte. */
#define XERO_COUNTRY_SIZE 8

typedef struct XeroOrg
{
	pg_uuid_t	id;
	char	   *tenant_id;		/* the same as text, as it was spelled */
	char	   *name;			/* NULL if nobody asked Xero */
	char		country[XERO_COUNTRY_SIZE]; /* CountryCode, "" if nobody asked */
} XeroOrg;

/*
 * The organisations that a server stands for, sorted by id: the one of its
 * option tenant_id, or else those that its credentials are connected to, for
 * which Xero is asked once a backend.  Returns how many they are, at least
 * one; an array in the current memory context goes to "list".
 */
extern int	xero_organisations(const XeroServer *server,
							   XeroOrg **list);

/*
 * The same without asking, for a server without the option tenant_id: -1 if
 * the backend does not know yet.
 */
extern int	xero_known_organisations(Oid umid, XeroOrg **list);

/*
 * Fill in the country of "count" organisations, all of one server.  Xero is
 * asked for each of them once a backend, which takes a call.
 */
extern void xero_learn_countries(const XeroServer *server,
								 XeroOrg **organisations, int count,
								 XeroCallStats *stats);

/* Make a copy of the server call in the name of an organisation. */
extern void xero_speak_for(XeroServer *server,
						   const XeroOrg *organisation);

#endif							/* XERO_TENANT_H */
