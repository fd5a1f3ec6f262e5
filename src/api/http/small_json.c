/*-------------------------------------------------------------------------
 *
 * small_json.c
 *	  Small JSON documents: the only file that knows json-c.
 *
 * Results are plain structs without pointers, so that nothing of json-c
 * outlives a function here, and no function here can raise an error while it
 * holds a document.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <json-c/json.h>
#include <malloc.h>

#include "api/http/small_json.h"

#include "api/http/markup.h"
#include "base/text.h"

/* Such documents are small and hardly nested; a connection takes 300 bytes. */
#define MAX_DOCUMENT (4 * 1024 * 1024)
#define MAX_DEPTH 32

/* Blanks that a text may begin or end with; a body may be made of blanks. */
#define MAX_BLANKS ((size_t) 4096)

/* json-c takes so much at most: some 900 bytes for an empty object. */
#define MIN_ROOM	(64 * 1024)
#define ROOM_A_BYTE 256

/* What json-c made of one above this size is given back to the system. */
#define MAX_KEPT_DOCUMENT (64 * 1024)

/* Seconds that a token is believed to live; Xero's live for half an hour. */
#define MAX_LIFETIME 86400

/* A byte order mark may come first. */
static size_t
mark_length(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

bool
xero_looks_like_json(const char *content_type, const char *text, size_t len)
{
	size_t		i = mark_length(text, len);
	size_t		end = len;

	if (pg_strncasecmp(content_type, "application/json", 16) != 0)
		return false;
	while (i < Min(len, MAX_BLANKS) && xero_is_blank(text[i]))
		i++;
	while (end > i && len - end < MAX_BLANKS && xero_is_blank(text[end - 1]))
		end--;
	return end > i + 1 &&
		((text[i] == '{' && text[end - 1] == '}') ||
		 (text[i] == '[' && text[end - 1] == ']'));
}

/*
 * Raise an error unless there is memory for what json-c makes of a text: it
 * does not look, and crashes if there is none.  Nobody holds a document yet.
 */
static void
require_room(size_t len)
{
	void	   *volatile room;

	if (len > MAX_DOCUMENT)
		return;
	room = malloc(MIN_ROOM + len * ROOM_A_BYTE);
	if (room == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Could not read a document of %zu bytes.", len)));
	free(room);
}

/*
 * The caller puts the object; NULL if the text is nothing of that type.  The
 * flags are json-c's.
 */
static json_object *
parse_with(int flags, const char *text, size_t len, json_type type)
{
	json_tokener *tokener;
	json_object *object;

	if (text == NULL || len == 0 || len > MAX_DOCUMENT)
		return NULL;
	tokener = json_tokener_new_ex(MAX_DEPTH);
	if (tokener == NULL)
		return NULL;
	json_tokener_set_flags(tokener, flags);
	object = json_tokener_parse_ex(tokener, text, (int) len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
		!json_object_is_type(object, type))
	{
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static json_object *
parse_document(const char *text, size_t len, json_type type)
{
	size_t		mark = mark_length(text, len);

	require_room(len);
	return parse_with(0, text + mark, len - mark, type);
}

/*
 * Done with an object that was made of a text of so many bytes.  It took many
 * small pieces, up to a hundred times as much, which malloc would keep.
 */
static void
put_document(json_object *object, size_t len)
{
	json_object_put(object);
#ifdef __GLIBC__
	if (len > MAX_KEPT_DOCUMENT)
		malloc_trim(0);
#endif
}

/*
 * Is each member of the object one of its own?  json-c keeps the last of two
 * with one name, and takes single quotes for double ones.  The text is what
 * the object was made of, so that its brackets and quotes are known to match.
 */
static bool
has_distinct_members(const char *text, size_t len, json_object *object)
{
	int			depth = 0;
	int			commas = 0;
	int			members = json_object_object_length(object);
	bool		quoted = false;

	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];

		if (quoted)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		}
		else if (c == '"')
			quoted = true;
		else if (c == '\'')
			return false;
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		else if (c == ',' && depth == 1)
			commas++;
	}
	return commas == (members == 0 ? 0 : members - 1);
}

/*
 * Is the text strictly JSON?  What is not ASCII is looked at as if it were
 * letters, since strict parsing takes that for control characters in json-c
 * 0.18; outside of strings neither is allowed.
 */
static bool
is_strict(const char *text, size_t len)
{
	char	   *letters = malloc(len);
	json_object *object = NULL;

	if (letters != NULL)
	{
		for (size_t i = 0; i < len; i++)
			letters[i] = IS_HIGHBIT_SET(text[i]) ? 'x' : text[i];
		object = parse_with(JSON_TOKENER_STRICT, letters, len,
							json_type_object);
		free(letters);
	}
	put_document(object, len);
	return object != NULL;
}

/*
 * The same for an object whose every byte counts.  json-c takes a zero byte
 * for the end of the text.
 */
static json_object *
parse_strictly(const char *text, size_t len)
{
	json_object *object;

	if (text == NULL || memchr(text, '\0', len) != NULL)
		return NULL;
	require_room(len);
	object = parse_with(JSON_TOKENER_VALIDATE_UTF8, text, len,
						json_type_object);
	if (object != NULL &&
		(!is_strict(text, len) || !has_distinct_members(text, len, object)))
	{
		json_object_put(object);
		object = NULL;
	}
	return object;
}

/* False if there is no such member, it is no string, or it does not fit. */
static bool
get_string(json_object *object, const char *key, char *dest, size_t size)
{
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_string))
		return false;
	return strlcpy(dest, json_object_get_string(value), size) < size;
}

/* A string that is of no use if it is cut. */
static void
get_whole(json_object *object, const char *key, char *dest, size_t size)
{
	if (!get_string(object, key, dest, size))
		dest[0] = '\0';
}

static int
get_int(json_object *object, const char *key, int otherwise)
{
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_int))
		return otherwise;
	return json_object_get_int(value);
}

/* The first of these members that is a text with something in it, in any case. */
static void
get_first(json_object *object, const char *const *keys, int nkeys, char *dest,
		  size_t size)
{
	for (int i = 0; i < nkeys; i++)
	{
		json_object_object_foreach(object, name, value)
		{
			if (pg_strcasecmp(name, keys[i]) != 0 ||
				!json_object_is_type(value, json_type_string) ||
				json_object_get_string_len(value) == 0)
				continue;
			strlcpy(dest, json_object_get_string(value), size);
			return;
		}
	}
	dest[0] = '\0';
}

#define GET_FIRST(object, dest, ...) \
	get_first(object, (const char *const[]) {__VA_ARGS__}, \
			  lengthof(((const char *const[]) {__VA_ARGS__})), \
			  dest, sizeof(dest))

void
xero_parse_error(const char *text, size_t len, XeroErrorDocument *document)
{
	json_object *object = parse_document(text, len, json_type_object);
	json_object *problem;

	memset(document, 0, sizeof(*document));
	if (object == NULL)
	{
		size_t		mark = mark_length(text, len);

		document->markup = xero_is_markup(text + mark, len - mark);
		xero_markup_words(text + mark, len - mark, document->message,
						  sizeof(document->message));
		return;
	}
	document->number = get_int(object, "ErrorNumber", 0);
	GET_FIRST(object, document->type, "Type");
	GET_FIRST(object, document->detail, "Detail");
	GET_FIRST(object, document->message, "Message", "Description", "Detail",
			  "Title");
	if (document->message[0] == '\0' &&
		json_object_object_get_ex(object, "problem", &problem) &&
		json_object_is_type(problem, json_type_object))
		GET_FIRST(problem, document->message, "Detail", "Title");
	put_document(object, len);
}

bool
xero_parse_token(const char *text, size_t len, XeroTokenDocument *document)
{
	json_object *object = parse_document(text, len, json_type_object);

	memset(document, 0, sizeof(*document));
	document->expires_in = -1;
	if (object == NULL)
		return false;

	get_whole(object, "access_token", document->access_token,
			  sizeof(document->access_token));
	get_whole(object, "refresh_token", document->refresh_token,
			  sizeof(document->refresh_token));
	get_whole(object, "id_token", document->id_token,
			  sizeof(document->id_token));
	document->expires_in = Min(get_int(object, "expires_in", -1),
							   MAX_LIFETIME);
	(void) get_string(object, "error", document->error,
					  sizeof(document->error));
	put_document(object, len);
	return true;
}

/* What has been found, and where the walk is.  Parsing has limited the depth. */
typedef struct ReasonWalk
{
	XeroReason *list;
	int			room;
	int			count;
	XeroReason	here;			/* without a text */
} ReasonWalk;

static void
add_reason(ReasonWalk *walk, const char *text)
{
	if (text[0] == '\0')
		return;
	if (walk->count < walk->room)
	{
		walk->list[walk->count] = walk->here;
		strlcpy(walk->list[walk->count].text, text,
				sizeof(walk->here.text));
	}
	walk->count++;
}

static void
take_reason(ReasonWalk *walk, json_object *object)
{
	char		text[sizeof(walk->here.text)];

	GET_FIRST(object, text, "Message", "Description", "reason");
	add_reason(walk, text);
}

/* All in a value that consists of reasons; texts in an array are some, too. */
static void
take_reasons(ReasonWalk *walk, json_object *value)
{
	if (json_object_is_type(value, json_type_array))
	{
		for (size_t i = 0; i < json_object_array_length(value); i++)
		{
			json_object *item = json_object_array_get_idx(value, i);

			if (json_object_is_type(item, json_type_string))
				add_reason(walk, json_object_get_string(item));
			else
				take_reasons(walk, item);
		}
	}
	else if (json_object_is_type(value, json_type_object))
	{
		struct json_object_iterator it = json_object_iter_begin(value);
		struct json_object_iterator end = json_object_iter_end(value);

		take_reason(walk, value);
		for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
			take_reasons(walk, json_object_iter_peek_value(&it));
	}
}

static void find_reasons(ReasonWalk *walk, const char *name,
						 json_object *value);

/* The array next to the top has the elements, what is in them are parts. */
static void
find_in_array(ReasonWalk *walk, const char *name, json_object *array)
{
	XeroReason	here = walk->here;

	for (size_t i = 0; i < json_object_array_length(array); i++)
	{
		if (here.element < 0)
			walk->here.element = i;
		else if (here.part[0] == '\0')
		{
			strlcpy(walk->here.part, name, sizeof(here.part));
			walk->here.place = i;
		}
		find_reasons(walk, "", json_object_array_get_idx(array, i));
	}
	walk->here = here;
}

/* Look for reasons in a member of that name, or (no name) in an element. */
static void
find_reasons(ReasonWalk *walk, const char *name, json_object *value)
{
	XeroReason	here = walk->here;

	if (pg_strcasecmp(name, "ValidationErrors") == 0 ||
		pg_strcasecmp(name, "invalidFields") == 0)
		take_reasons(walk, value);
	else if (json_object_is_type(value, json_type_array))
		find_in_array(walk, name, value);
	else if (json_object_is_type(value, json_type_object))
	{
		if (here.element >= 0 && here.part[0] == '\0')
			strlcpy(walk->here.part, name, sizeof(here.part));
		json_object_object_foreach(value, key, member)
			find_reasons(walk, key, member);
		walk->here = here;
	}
}

static void
begin_walk(ReasonWalk *walk, XeroReason *list, int room)
{
	memset(walk, 0, sizeof(*walk));
	walk->list = list;
	walk->room = room;
	walk->here.element = walk->here.place = -1;
}

int
xero_parse_messages(const char *text, size_t len, XeroReason *list, int room)
{
	json_type	type = *text == '[' ? json_type_array : json_type_object;
	json_object *value = parse_document(text, len, type);
	ReasonWalk	walk;

	if (value == NULL)
		return *text == '[' || *text == '{' ? -1 : 0;
	begin_walk(&walk, list, room);
	take_reasons(&walk, value);
	put_document(value, len);
	return walk.count;
}

int
xero_parse_reasons(const char *text, size_t len, XeroReason *list, int room)
{
	json_object *object = parse_document(text, len, json_type_object);
	ReasonWalk	walk;

	if (object == NULL)
		return -1;
	begin_walk(&walk, list, room);
	find_reasons(&walk, "", object);
	put_document(object, len);
	return walk.count;
}

int
xero_parse_organisations(const char *text, size_t len, XeroOrganisation *list,
						 int room)
{
	json_object *array = parse_document(text, len, json_type_array);
	int			count = 0;

	if (array == NULL)
		return -1;
	for (size_t i = 0; i < json_object_array_length(array); i++)
	{
		json_object *connection = json_object_array_get_idx(array, i);
		XeroOrganisation one;

		memset(&one, 0, sizeof(one));
		if (!json_object_is_type(connection, json_type_object) ||
			!get_string(connection, "tenantId", one.tenant_id,
						sizeof(one.tenant_id)))
		{
			count = -1;
			break;
		}
		(void) get_string(connection, "tenantType", one.tenant_type,
						  sizeof(one.tenant_type));
		(void) get_string(connection, "tenantName", one.name,
						  sizeof(one.name));
		get_whole(connection, "id", one.connection_id,
				  sizeof(one.connection_id));
		if (count < room)
			list[count] = one;
		count++;
	}
	put_document(array, len);
	return count;
}

bool
xero_parse_country(const char *text, size_t len, char *country, size_t size)
{
	json_object *object = parse_document(text, len, json_type_object);
	json_object *array;
	json_object *organisation = NULL;

	country[0] = '\0';
	if (object != NULL &&
		json_object_object_get_ex(object, "Organisations", &array) &&
		json_object_is_type(array, json_type_array))
		organisation = json_object_array_get_idx(array, 0);
	if (json_object_is_type(organisation, json_type_object))
		(void) get_string(organisation, "CountryCode", country, size);
	else
		organisation = NULL;
	put_document(object, len);
	return organisation != NULL;
}

/* False, and "", if it is no string, has a zero byte, or does not fit. */
static bool
copy_string(json_object *value, char *dest, size_t size)
{
	size_t		len;

	dest[0] = '\0';
	if (!json_object_is_type(value, json_type_string))
		return false;
	len = json_object_get_string_len(value);
	if (len >= size || strlen(json_object_get_string(value)) != len)
		return false;
	memcpy(dest, json_object_get_string(value), len + 1);
	return true;
}

/* A string that may be absent, but not be something else. */
static bool
take_string(json_object *object, const char *key, char *dest, size_t size)
{
	json_object *value;

	dest[0] = '\0';
	return !json_object_object_get_ex(object, key, &value) ||
		copy_string(value, dest, size);
}

/* A whole number that may be absent, but not be something else. */
static bool
take_int64(json_object *object, const char *key, int64 otherwise,
		   int64 *number)
{
	json_object *value;

	*number = otherwise;
	if (!json_object_object_get_ex(object, key, &value))
		return true;
	*number = json_object_get_int64(value);
	return json_object_is_type(value, json_type_int);
}

/* Is aud, a string or an array of strings, that or with that audience? */
static bool
names_audience(json_object *object, const char *audience)
{
	json_object *value;
	char		name[256];

	if (!json_object_object_get_ex(object, "aud", &value))
		return false;
	if (!json_object_is_type(value, json_type_array))
		return copy_string(value, name, sizeof(name)) &&
			strcmp(name, audience) == 0;
	for (size_t i = 0; i < json_object_array_length(value); i++)
	{
		if (copy_string(json_object_array_get_idx(value, i), name,
						sizeof(name)) && strcmp(name, audience) == 0)
			return true;
	}
	return false;
}

/* Xero's scope is an array of words, the standard's is a text of words. */
static bool
take_scope(json_object *object, char *dest, size_t size)
{
	json_object *value;
	size_t		len = 0;

	dest[0] = '\0';
	if (!json_object_object_get_ex(object, "scope", &value))
		return true;
	if (!json_object_is_type(value, json_type_array))
		return copy_string(value, dest, size);
	for (size_t i = 0; i < json_object_array_length(value); i++)
	{
		if (len > 0)
		{
			if (len + 1 >= size)
				return false;
			dest[len++] = ' ';
		}
		if (!copy_string(json_object_array_get_idx(value, i), dest + len,
						 size - len))
			return false;
		len += strlen(dest + len);
	}
	return true;
}

bool
xero_parse_jose_header(const char *text, size_t len, XeroJoseHeader *header)
{
	json_object *object = parse_strictly(text, len);
	bool		good;

	memset(header, 0, sizeof(*header));
	good = object != NULL &&
		take_string(object, "alg", header->algorithm,
					sizeof(header->algorithm)) &&
		take_string(object, "kid", header->kid, sizeof(header->kid));
	if (good)
		header->critical = json_object_object_get_ex(object, "crit", NULL);
	else
		memset(header, 0, sizeof(*header));
	put_document(object, len);
	return good;
}

bool
xero_parse_claims(const char *text, size_t len, const char *audience,
				  XeroClaims *claims)
{
	json_object *object = parse_strictly(text, len);
	bool		good;

	memset(claims, 0, sizeof(*claims));
#define TAKE(key, member) \
	take_string(object, key, claims->member, sizeof(claims->member))
	good = object != NULL &&
		json_object_object_get_ex(object, "exp", NULL) &&
		take_int64(object, "exp", 0, &claims->expires_at) &&
		take_int64(object, "nbf", PG_INT64_MIN, &claims->not_before) &&
		TAKE("iss", issuer) &&
		TAKE("sub", subject) &&
		TAKE("client_id", client_id) &&
		(claims->client_id[0] != '\0' || TAKE("azp", client_id)) &&
		TAKE("nonce", nonce) &&
		TAKE("at_hash", at_hash) &&
		TAKE("xero_userid", user_id) &&
		TAKE("authentication_event_id", event_id) &&
		take_scope(object, claims->scope, sizeof(claims->scope));
	if (good)
	{
		claims->for_audience = names_audience(object, audience);
		(void) TAKE("email", email);
		(void) TAKE("given_name", given_name);
		(void) TAKE("family_name", family_name);
	}
	else
		memset(claims, 0, sizeof(*claims));
#undef TAKE
	put_document(object, len);
	return good;
}

/* A big-endian number; false if it is none, or begins with zeros. */
static bool
get_number(json_object *object, const char *key, unsigned char *dest,
		   size_t size, size_t *len)
{
	json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
		json_object_is_type(value, json_type_string) &&
		xero_base64url_decode(json_object_get_string(value),
							  json_object_get_string_len(value),
							  dest, size, len) &&
		*len > 0 && dest[0] != 0;
}

/* Is there no such member, or does it say this? */
static bool
may_be(json_object *object, const char *key, const char *expected)
{
	char		word[32];

	return take_string(object, key, word, sizeof(word)) &&
		(word[0] == '\0' || strcmp(word, expected) == 0);
}

bool
xero_parse_key_set(const char *text, size_t len, XeroKeySet *keys)
{
	json_object *object = parse_strictly(text, len);
	json_object *array = NULL;
	bool		good;

	memset(keys, 0, sizeof(*keys));
	good = object != NULL &&
		json_object_object_get_ex(object, "keys", &array) &&
		json_object_is_type(array, json_type_array);
	for (size_t i = 0; good && i < json_object_array_length(array); i++)
	{
		json_object *entry = json_object_array_get_idx(array, i);
		char		kty[8];
		char		kid[sizeof(keys->keys[0].kid)];
		XeroRsaKey	key = {{0}};

		if (!json_object_is_type(entry, json_type_object) ||
			!get_string(entry, "kty", kty, sizeof(kty)) ||
			strcmp(kty, "RSA") != 0 ||
			!may_be(entry, "use", "sig") || !may_be(entry, "alg", "RS256") ||
			!take_string(entry, "kid", kid, sizeof(kid)) || kid[0] == '\0' ||
			!get_number(entry, "n", key.modulus, sizeof(key.modulus),
						&key.modulus_len) ||
			!get_number(entry, "e", key.exponent, sizeof(key.exponent),
						&key.exponent_len))
			continue;
		good = keys->count < lengthof(keys->keys);
		if (good)
		{
			strcpy(keys->keys[keys->count].kid, kid);
			keys->keys[keys->count++].key = key;
		}
	}
	if (!good)
		memset(keys, 0, sizeof(*keys));
	put_document(object, len);
	return good;
}

bool
xero_parse_discovery(const char *text, size_t len, XeroDiscovery *discovery)
{
	json_object *object = parse_strictly(text, len);
	bool		good;

	memset(discovery, 0, sizeof(*discovery));
	good = object != NULL &&
		take_string(object, "issuer", discovery->issuer,
					sizeof(discovery->issuer)) &&
		take_string(object, "jwks_uri", discovery->jwks_uri,
					sizeof(discovery->jwks_uri)) &&
		discovery->issuer[0] != '\0' && discovery->jwks_uri[0] != '\0';
	if (!good)
		memset(discovery, 0, sizeof(*discovery));
	put_document(object, len);
	return good;
}
