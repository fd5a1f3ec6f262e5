/*-------------------------------------------------------------------------
 *
 * percent_fuzz.c
 *	  Percent-encoding, there and back.
 *
 * Input: text.
 *
 * Link: src/api/percent.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "api/percent.h"

void
fuzz_one(FuzzInput *in)
{
	size_t		len;
	char	   *text = fuzz_rest(in, &len);
	StringInfoData decoded;
	StringInfoData form;

	initStringInfo(&decoded);
	xero_append_decoded(&decoded, text, len);
	fuzz_must(decoded.len <= len);

	initStringInfo(&form);
	xero_append_parameter(&form, "a", text);
	xero_append_parameter(&form, "b", text);
	fuzz_must(form.data[strspn(form.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%=&")] == '\0');
	resetStringInfo(&decoded);
	xero_append_decoded(&decoded, form.data, form.len);
	fuzz_must(strcmp(decoded.data, psprintf("a=%s&b=%s", text, text)) == 0);
}
