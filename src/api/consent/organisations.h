/*-------------------------------------------------------------------------
 *
 * organisations.h
 *	  Which organisations a server stands for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_ORGANISATIONS_H
#define XERO_ORGANISATIONS_H

#include "compat.h"

#include "api/call/call.h"
#include "api/http/small_json.h"

/*
 * The organisations that a server stands for, sorted by id: the one of its
 * option tenant_id, or else those that its credentials are connected to, for
 * which Xero is asked once a backend, and those that they were connected to
 * before.  Returns how many they are, at least one; an array in the current
 * memory context goes to "list".
 */
extern int	xero_organisations(const XeroServer *server,
							   XeroOrganisation **list);

/*
 * The same without asking, for a server without the option tenant_id: -1 if
 * the backend does not know yet.
 */
extern int	xero_known_organisations(Oid umid, XeroOrganisation **list);

/*
 * Fill in the country of "count" organisations, all of one server.  Xero is
 * asked for each of them once a backend, which takes a call.
 */
extern void xero_learn_countries(const XeroServer *server,
								 XeroOrganisation **organisations, int count,
								 XeroCallStats *stats);

/*
 * Make a copy of the server call in the name of an organisation, whose strings
 * it then has.  ERROR 28000 if that has lost its connection: what it has would
 * be missing from any result.
 */
extern void xero_speak_for(XeroServer *server,
						   XeroOrganisation *organisation);

#endif							/* XERO_ORGANISATIONS_H */
