/*-------------------------------------------------------------------------
 *
 * small_json_fuzz.c
 *	  Any text as each of the small documents.
 *
 * Input: text.
 *
 * Link: src/api/http/small_json.c src/api/http/markup.c src/base/text.c
 * Link: src/api/http/crypto.c src/json/skip.c
 * Link: -ljson-c -lcrypto
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "api/http/small_json.h"
#include "json/skip.h"

#define IS_STRING(member) (strnlen(member, sizeof(member)) < sizeof(member))

/* Does an object have two members of one name, spelled alike? */
static bool
has_doubled_member(const char *s, size_t len)
{
	XeroJsonText text = {s, s + len, NULL, NULL};
	const char *p = xero_skip_space(&text, s);
	const char *names[100];
	int			lengths[100];
	int			count = 0;

	while (count < lengthof(names) && (*p == '{' || *p == ','))
	{
		const char *name = xero_skip_space(&text, p + 1);

		if (*name != '"' || (p = xero_skip_string(&text, name)) == NULL)
			break;
		names[count] = name;
		lengths[count] = p - name;
		for (int i = 0; i < count; i++)
		{
			if (lengths[i] == lengths[count] &&
				memcmp(names[i], name, lengths[i]) == 0)
				return true;
		}
		count++;
		p = xero_skip_space(&text, p);
		if (*p != ':' ||
			(p = xero_skip_value(&text, xero_skip_space(&text, p + 1),
								 1)) == NULL)
			break;
		p = xero_skip_space(&text, p);
	}
	return false;
}

static void
check_reasons(const XeroReason *reasons, int count)
{
	for (int i = 0; i < count; i++)
	{
		const XeroReason *reason = &reasons[i];

		fuzz_must(IS_STRING(reason->text) && reason->text[0] != '\0');
		fuzz_must(IS_STRING(reason->part));
		fuzz_must(reason->element >= -1 && reason->place >= -1);
		fuzz_must(reason->part[0] == '\0' || reason->element >= 0);
	}
}

static void
read_loosely(const char *text, size_t len)
{
	XeroErrorDocument error;
	XeroTokenDocument token;
	XeroReason	reasons[4];
	XeroOrganisation organisations[4];
	char		country[XERO_COUNTRY_SIZE];
	int			count;

	(void) xero_looks_like_json("application/json", text, len);
	xero_parse_error(text, len, &error);
	fuzz_must(IS_STRING(error.type) && IS_STRING(error.message) &&
			  IS_STRING(error.detail));
	(void) xero_parse_token(text, len, &token);
	fuzz_must(IS_STRING(token.access_token) && IS_STRING(token.error) &&
			  IS_STRING(token.refresh_token) && IS_STRING(token.id_token));
	(void) xero_parse_country(text, len, country, sizeof(country));
	fuzz_must(IS_STRING(country));

	count = xero_parse_messages(text, len, reasons, lengthof(reasons));
	fuzz_must(count == xero_parse_messages(text, len, NULL, 0));
	check_reasons(reasons, Min(count, (int) lengthof(reasons)));
	count = xero_parse_reasons(text, len, reasons, lengthof(reasons));
	fuzz_must(count == xero_parse_reasons(text, len, NULL, 0));
	check_reasons(reasons, Min(count, (int) lengthof(reasons)));
	count = xero_parse_organisations(text, len, organisations,
									 lengthof(organisations));
	fuzz_must(count == xero_parse_organisations(text, len, NULL, 0));
	for (int i = 0; i < Min(count, (int) lengthof(organisations)); i++)
		fuzz_must(IS_STRING(organisations[i].tenant_id) &&
				  IS_STRING(organisations[i].tenant_type) &&
				  IS_STRING(organisations[i].name));
}

static void
read_strictly(const char *text, size_t len)
{
	XeroJoseHeader header;
	XeroClaims	claims;
	XeroKeySet	keys;
	XeroDiscovery discovery;
	bool		taken = false;

	taken |= xero_parse_jose_header(text, len, &header);
	fuzz_must(IS_STRING(header.algorithm) && IS_STRING(header.kid));
	taken |= xero_parse_claims(text, len, "client", &claims);
	fuzz_must(IS_STRING(claims.issuer) && IS_STRING(claims.scope) &&
			  IS_STRING(claims.nonce) && IS_STRING(claims.email));
	taken |= xero_parse_discovery(text, len, &discovery);
	fuzz_must(IS_STRING(discovery.issuer) && IS_STRING(discovery.jwks_uri));
	taken |= xero_parse_key_set(text, len, &keys);
	fuzz_must(keys.count >= 0 && keys.count <= lengthof(keys.keys));
	for (int i = 0; i < keys.count; i++)
		fuzz_must(IS_STRING(keys.keys[i].kid) &&
				  xero_rs256_verify(&keys.keys[i].key, text, len,
									(const unsigned char *) text,
									Min(len, XERO_RSA_LEN_MAX)) !=
				  XERO_SIGNATURE_GOOD);
	fuzz_must(!taken || !has_doubled_member(text, len));
}

void
fuzz_one(FuzzInput *in)
{
	size_t		len;
	char	   *text = fuzz_rest(in, &len);

	read_loosely(text, len);
	read_strictly(text, len);
}
