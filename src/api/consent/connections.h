/*-------------------------------------------------------------------------
 *
 * connections.h
 *	  Which organisations Xero says that a token reaches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef XERO_CONNECTIONS_H
#define XERO_CONNECTIONS_H

#include "compat.h"

#include "api/http/small_json.h"
#include "api/shared/server.h"

/*
 * Ask Xero what the server's token reaches, practices too: how many, in the
 * order of their ids, each once.  Names are fit to be shown.
 */
extern int	xero_ask_connections(const XeroServer *server,
								 XeroOrganisation **list);

/* The path of one of that list; raises an ERROR if its id is none. */
extern char *xero_connection_path(const XeroServer *server,
								  const XeroOrganisation *organisation);

/*
 * Have Xero end the connection of that path, unless it has ended meanwhile; the
 * HTTP status of the answer.
 */
extern int	xero_end_connection(const XeroServer *server, const char *path);

/*
 * Add, as lost, what the server's credentials have reached before, as it is
 * stored.  Returns how many there are then; "changed" tells whether the list
 * is another one than the stored.
 */
extern int	xero_add_lost_connections(const XeroServer *server,
									  XeroOrganisation **list, int count,
									  bool *changed);

#endif							/* XERO_CONNECTIONS_H */
