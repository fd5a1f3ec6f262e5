/*-------------------------------------------------------------------------
 *
 * entry.c
 *	  What the audit knows of one write, consent, refresh or disconnect, and
 *	  how the server's log shows it.
 *
 * The line consists of pairs, name=value, in a fixed order; programs read it
 * (doc/operations.md).  Values that are text are quoted as in JSON, so that no
 * name can forge a pair or a line.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "api/audit/entry.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

/* The longest line, without what PostgreSQL puts before it. */
#define LINE_SIZE 4096

typedef struct Line
{
	int			len;
	char		text[LINE_SIZE];
} Line;

const char *
xero_audit_event_name(XeroAuditEvent event)
{
	switch (event)
	{
		case XERO_AUDIT_WRITE:
			return "write";
		case XERO_AUDIT_CONSENT:
			return "consent";
		case XERO_AUDIT_REFRESH:
			return "refresh";
		case XERO_AUDIT_DISCONNECT:
			break;
	}
	return "disconnect";
}

void
xero_audit_copy(char *dest, const char *text, size_t size)
{
	if (text == NULL)
		text = "";
	strlcpy(dest, text, pg_mbcliplen(text, strlen(text), (int) size - 1) + 1);
	/* a role may have got its name in a database with another encoding */
	if (pg_verifymbstr(dest, (int) strlen(dest), true))
		return;
	for (char *p = dest; *p != '\0'; p++)
	{
		if (IS_HIGHBIT_SET(*p))
			*p = '?';
	}
}

bool
xero_audit_add_key(XeroAuditKeys *keys, const char *key)
{
	int			room = (int) sizeof(keys->text) - keys->len - 1;
	int			len = (int) strlen(key);

	/* one that has no room anywhere is cut */
	if (len > room && keys->count > 0)
		return false;
	len = pg_mbcliplen(key, len, room);
	memcpy(keys->text + keys->len, key, len);
	keys->text[keys->len + len] = '\0';
	keys->len += len + 1;
	keys->count++;
	return true;
}

/* What has no room is left out, and with it all that follows. */
static void
put(Line *line, const char *text)
{
	int			len = (int) strlen(text);

	if (line->len + len < LINE_SIZE)
		memcpy(line->text + line->len, text, len + 1);
	line->len += len;
}

static void
put_number(Line *line, const char *name, long long value)
{
	char		text[64];

	snprintf(text, sizeof(text), " %s=%lld", name, value);
	put(line, text);
}

static void
put_quoted(Line *line, const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
	{
		char		c[8] = {*p};

		if (*p == '"' || *p == '\\')
			snprintf(c, sizeof(c), "\\%c", *p);
		else if ((unsigned char) *p < ' ' || *p == 0x7f)
			snprintf(c, sizeof(c), "\\u%04x", *p);
		put(line, c);
	}
}

/* Nothing if it is "". */
static void
put_text(Line *line, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	put(line, " ");
	put(line, name);
	put(line, "=\"");
	put_quoted(line, text);
	put(line, "\"");
}

static void
put_keys(Line *line, const XeroAuditKeys *keys)
{
	const char *key = keys->text;

	if (keys->count == 0)
		return;
	put(line, " keys=\"");
	for (int i = 0; i < keys->count; i++)
	{
		if (i > 0)
			put(line, ",");
		put_quoted(line, key);
		key += strlen(key) + 1;
	}
	put(line, "\"");
}

void
xero_audit_log(const XeroAuditMessage *message)
{
	const XeroAuditEntry *entry = &message->entry;
	const XeroAuditEnd *end = &message->end;
	Line		line = {0};

	put_text(&line, "at", timestamptz_to_str(entry->at));
	put_text(&line, "role", entry->role);
	put_text(&line, "session_role", entry->session_role);
	put_text(&line, "application", entry->application);
	put_number(&line, "pid", entry->pid);
	put_text(&line, "server", entry->server);
	put_text(&line, "tenant", entry->tenant_id);
	put_text(&line, "method", entry->method);
	put_text(&line, "path", entry->path);
	put_number(&line, "attempt", entry->attempt);
	put_text(&line, "idempotency_key", entry->idempotency_key);
	if (end->at != 0)
	{
		put_number(&line, "status", end->status);
		put_number(&line, "elapsed_ms", (end->at - entry->at) / 1000);
		put_text(&line, "error", end->error);
		put_text(&line, "correlation_id", end->correlation_id);
	}
	put_keys(&line, &message->keys);
	ereport(LOG,
			(errmsg_internal("xero_fdw audit: %s %s%s",
							 xero_audit_event_name(entry->event),
							 end->at != 0 ? "ended" : "begins", line.text),
			 errhidestmt(true), errhidecontext(true)));
}
