/*-------------------------------------------------------------------------
 *
 * document.c
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

#include "api/document.h"

/* Such documents are a few hundred bytes and hardly nested. */
#define MAX_DOCUMENT (256 * 1024)
#define MAX_DEPTH 32

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
xero_looks_like_json(const char *content_type, const char *text, size_t len)
{
	size_t		i = 0;

	if (pg_strncasecmp(content_type, "application/json", 16) != 0)
		return false;
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		i += 3;					/* a byte order mark */
	while (i < len && is_blank(text[i]))
		i++;
	while (len > i && is_blank(text[len - 1]))
		len--;
	return len > i + 1 &&
		((text[i] == '{' && text[len - 1] == '}') ||
		 (text[i] == '[' && text[len - 1] == ']'));
}

/* The caller puts the object; NULL if the text is nothing of that type. */
static json_object *
parse_document(const char *text, size_t len, json_type type)
{
	json_tokener *tokener;
	json_object *object;

	if (text == NULL || len == 0 || len > MAX_DOCUMENT)
		return NULL;
	tokener = json_tokener_new_ex(MAX_DEPTH);
	if (tokener == NULL)
		return NULL;
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

static int
get_int(json_object *object, const char *key, int otherwise)
{
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_int))
		return otherwise;
	return json_object_get_int(value);
}

bool
xero_parse_error(const char *text, size_t len, XeroErrorDocument *document)
{
	json_object *object = parse_document(text, len, json_type_object);

	memset(document, 0, sizeof(*document));
	if (object == NULL)
		return false;

	document->number = get_int(object, "ErrorNumber", 0);
	(void) get_string(object, "Type", document->type, sizeof(document->type));
	(void) get_string(object, "Detail", document->detail,
					  sizeof(document->detail));
	(void) get_string(object, "Message", document->message,
					  sizeof(document->message));
	if (document->message[0] == '\0')
		(void) get_string(object, "Detail", document->message,
						  sizeof(document->message));
	if (document->message[0] == '\0')
		(void) get_string(object, "Title", document->message,
						  sizeof(document->message));
	json_object_put(object);
	return true;
}

bool
xero_parse_token(const char *text, size_t len, XeroTokenDocument *document)
{
	json_object *object = parse_document(text, len, json_type_object);

	memset(document, 0, sizeof(*document));
	document->expires_in = -1;
	if (object == NULL)
		return false;

	if (!get_string(object, "access_token", document->access_token,
					sizeof(document->access_token)))
		document->access_token[0] = '\0';
	document->expires_in = get_int(object, "expires_in", -1);
	(void) get_string(object, "error", document->error,
					  sizeof(document->error));
	json_object_put(object);
	return true;
}

int
xero_parse_connections(const char *text, size_t len, char *tenant_id)
{
	json_object *array = parse_document(text, len, json_type_array);
	int			count = 0;

	tenant_id[0] = '\0';
	if (array == NULL)
		return -1;

	/* practices have connections, too, but no accounts */
	for (size_t i = 0; i < json_object_array_length(array); i++)
	{
		json_object *connection = json_object_array_get_idx(array, i);
		char		type[32];
		char		id[XERO_UUID_TEXT_LEN + 1];

		if (!json_object_is_type(connection, json_type_object) ||
			!get_string(connection, "tenantId", id, sizeof(id)))
		{
			count = -1;
			break;
		}
		if (!get_string(connection, "tenantType", type, sizeof(type)) ||
			strcmp(type, "ORGANISATION") != 0)
			continue;
		if (count++ == 0)
			strlcpy(tenant_id, id, XERO_UUID_TEXT_LEN + 1);
	}
	json_object_put(array);
	return count;
}
