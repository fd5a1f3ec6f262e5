/*-------------------------------------------------------------------------
 *
 * client_secret.c
 *	  The client secret of a server's application, wherever it is.
 *
 * It is an option of the user mapping, or in a file that an option names, or
 * stored, sealed.  Where there are several, it is the first of these.  The
 * latter two are read when Xero is to be asked for a token, so that what is
 * kept between two such requests has no secret, and a replaced file counts at
 * the next one.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/secret/client_secret.h"
#include "api/secret/private_file.h"
#include "api/secret/vault.h"
#include "base/text.h"

bool
xero_cut_client_secret(char *secret)
{
	size_t		len = strlen(secret);

	while (len > 0 && xero_is_blank(secret[len - 1]))
		secret[--len] = '\0';
	return len <= XERO_CLIENT_SECRET_MAX && xero_is_graphic(secret);
}

static char *
read_file(const XeroServer *server)
{
	XeroPrivateFile file = {
		"client secret file", server->client_secret_file,
		"the option client_secret_file"
	};
	char	   *secret = palloc0(XERO_CLIENT_SECRET_MAX + 3);
	int64		len = xero_private_file_read(&file, secret,
											 XERO_CLIENT_SECRET_MAX + 2);

	if (len < 0)
	{
		errno = ENOENT;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("%s does not exist", xero_private_file_name(&file)),
				 errdetail("It is the file of the user mapping for server \"%s\".",
						   server->name)));
	}
	if (strlen(secret) != len || !xero_cut_client_secret(secret))
	{
		explicit_bzero(secret, XERO_CLIENT_SECRET_MAX + 3);
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s has no client secret",
						xero_private_file_name(&file)),
				 errdetail("File must consist of one line of printable ASCII characters without blanks.")));
	}
	return secret;
}

static XeroSealPlace
place_of(const XeroServer *server)
{
	XeroSealPlace place = {
		server->name, server->roleid, server->client_id,
		XERO_CLIENT_SECRET_COLUMN
	};

	return place;
}

char *
xero_client_secret(const XeroServer *server)
{
	XeroSealPlace place;

	if (server->client_secret != NULL)
		return pstrdup(server->client_secret);
	if (server->client_secret_file != NULL)
		return read_file(server);
	if (server->sealed_secret == NULL)
		return NULL;
	place = place_of(server);
	return xero_vault_open(&place, server->sealed_secret);
}

bytea *
xero_seal_client_secret(const XeroServer *server, const char *secret)
{
	XeroSealPlace place = place_of(server);

	return xero_vault_seal(&place, secret);
}
