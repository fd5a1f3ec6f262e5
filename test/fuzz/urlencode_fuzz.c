/*-------------------------------------------------------------------------
 *
 * urlencode_fuzz.c
 *	  Percent-encoding, there and back.
 *
 * Input: text.
 *
 * Link: src/base/urlencode.c
 *
 *-------------------------------------------------------------------------
 */
#include "fuzz.h"

#include "base/urlencode.h"

void
fuzz_one(FuzzInput *in)
{
	size_t		len;
	char	   *text;
	StringInfoData decoded;
	StringInfoData form;

	/* what is decoded need not end with a zero byte */
	initStringInfo(&decoded);
	xero_append_decoded(&decoded, in->at, in->left);
	fuzz_must(decoded.len <= in->left);

	text = fuzz_rest(in, &len);
	initStringInfo(&form);
	xero_append_parameter(&form, "a", text);
	xero_append_parameter(&form, "b", text);
	fuzz_must(form.data[strspn(form.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%=&")] == '\0');
	resetStringInfo(&decoded);
	xero_append_decoded(&decoded, form.data, form.len);
	fuzz_must(strcmp(decoded.data, psprintf("a=%s&b=%s", text, text)) == 0);
}
