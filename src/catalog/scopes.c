/*-------------------------------------------------------------------------
 *
 * scopes.c
 *	  Which scope of a consent covers an object.
 *
 * Granular names; the broad ones of before March 2026 are for those who have
 * them in the option "scopes".
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/scopes.h"

static const char *
pick_scope(const XeroObject *root, bool writes)
{
	return writes && root->write_scope != NULL ? root->write_scope :
		root->read_scope;
}

const char *
xero_object_scope(const XeroObject *object, bool writes)
{
	return pick_scope(xero_root_object(object),
					  writes && object->max_batch > 0);
}

const char *
xero_path_scope(const char *path, bool writes)
{
	for (int i = 0; i < xero_nobjects; i++)
	{
		const XeroObject *object = xero_objects[i];
		size_t		base = strlen(object->api->base);
		size_t		name = strlen(object->name);

		if (object->parent == NULL &&
			strncmp(path, object->api->base, base) == 0 &&
			path[base] == '/' &&
			strncmp(path + base + 1, object->name, name) == 0 &&
			(path[base + 1 + name] == '\0' || path[base + 1 + name] == '/'))
			return pick_scope(object, writes);
	}
	return NULL;
}
