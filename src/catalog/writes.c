/*-------------------------------------------------------------------------
 *
 * writes.c
 *	  Look-ups in the rules of writing.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/writes.h"

const XeroObject *
xero_written_object(const XeroObject *object)
{
	const XeroWriteRules *rules = object->writes;

	return rules != NULL && rules->place == XERO_PLACE_INSIDE ?
		object->parent : object;
}

const char *
xero_write_wrapper(const XeroObject *object)
{
	const XeroWriteRules *rules = object->writes;

	return rules != NULL && rules->place == XERO_PLACE_BELOW ?
		object->array : object->wrapper;
}

bool
xero_is_one_of(const char *words, const char *word)
{
	size_t		len = strlen(word);

	for (;;)
	{
		size_t		n = strcspn(words, "|");

		if (n == len && strncmp(words, word, n) == 0)
			return true;
		if (words[n] == '\0')
			return false;
		words += n + 1;
	}
}

const XeroEnding *
xero_find_ending(const XeroWriteRules *rules, const char *status)
{
	for (int i = 0; i < rules->nendings; i++)
	{
		const XeroEnding *ending = &rules->endings[i];

		if (ending->status == NULL ||
			(status != NULL && strcmp(ending->status, status) == 0))
			return ending;
	}
	return NULL;
}
