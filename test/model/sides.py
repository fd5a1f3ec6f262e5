"""The two sides: sessions of the server, and the sandbox.  With TELL, what is
done to them is told, as lines that a person can repeat.
"""
import asyncio
import http.client
import json
import os
import signal
import time
from urllib.parse import urlsplit

from database import literal
from session import Session


class Told:
    """What was done in a round, which is shown while it is played, or kept for when it fails."""
    shown = False
    lines = []

    @classmethod
    def line(cls, text):
        cls.lines.append(text)
        if cls.shown:
            print(text, flush=True)


class Refused(RuntimeError):
    """What the sandbox was asked for is not to be had."""


class Here:
    """The server: a session that runs the sync, one that edits, and one of the superuser.
    All but the last are of an ordinary role, which owns the table."""

    def __init__(self):
        self.runner = self.editor = self.judge = None

    async def open(self):
        """Sessions, as soon as the server takes them."""
        for _ in range(600):
            try:
                self.judge = await Session().begin()
                self.editor = await Session().begin(user="books")
                self.runner = await Session().begin(user="books")
                return
            except (ConnectionError, OSError, asyncio.IncompleteReadError):
                self.close()
                await asyncio.sleep(0.05)
        raise RuntimeError("the server does not take sessions")

    def close(self):
        for session in (self.runner, self.editor, self.judge):
            if session:
                session.end()
        self.runner = self.editor = self.judge = None

    async def edit(self, sql, user="S"):
        Told.line(f"{user}: {sql};")
        return await self.editor.rows(sql)

    async def table(self):
        """The rows, by key."""
        found = await self.judge.rows("SELECT to_jsonb(t) FROM crm.things AS t")
        rows = [json.loads(row[0]) for row in found]
        return {row["id"]: row for row in rows}

    async def issues(self):
        found = await self.judge.rows(
            "SELECT to_jsonb(i) FROM (SELECT i.local_key->>0 AS id, i.xero_id, i.kind, i.field, i.message, i.sqlstate"
            " FROM xero_fdw.sync_issues AS i) AS i")
        return [json.loads(row[0]) for row in found]

    async def tell_engine(self):
        """What the sync remembers, for whoever looks for its fault."""
        for table in ("sync_link", "sync_issue", "sync_change", "sync_inbox", "sync_intent"):
            for row in await self.judge.rows(f"SELECT jsonb_strip_nulls(to_jsonb(t)) FROM xero_fdw.{table} AS t"):
                Told.line(f"{table}: {row[0]}")

    async def last_run(self):
        found = await self.judge.rows("SELECT to_jsonb(r) FROM xero_fdw.sync_runs AS r ORDER BY started_at DESC LIMIT 1")
        return json.loads(found[0][0]) if found else {}

    async def kill_at(self, point, signal):
        """Have the next run send this to itself (kills.py)."""
        Told.line(f"kill -{signal} at point {point} of the run")
        await self.judge.rows("SELECT setval('kills.points', 1, false)")
        await self.runner.rows(f"SET kills.at = {point}; SET kills.signal = '{signal}'")

    async def kill_workers(self, signal):
        """Those who write down for the run what it has sent."""
        for pid in await self.judge.rows("SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'xero_fdw%'"):
            Told.line(f"kill -{signal.name} of a worker")
            os.kill(int(pid[0]), signal)

    async def revive(self):
        """New sessions, if any was ended; and the old ones are gone."""
        for session in (self.runner, self.editor, self.judge):
            if (await session.run("SELECT 1")).error:
                return await self.reopen()

    async def reopen(self):
        self.close()
        while True:
            await self.open()
            try:
                gone = await self.judge.rows("SELECT count(*) FROM pg_stat_activity WHERE usename = 'books' AND pid NOT IN "
                                             f"({self.runner.pid}, {self.editor.pid})")
                if gone == [("0",)]:
                    return
            except RuntimeError:
                pass
            self.close()
            await asyncio.sleep(0.05)


class There:
    """Xero: the sandbox."""

    def __init__(self):
        self.where = urlsplit(os.environ["XERO_SANDBOX_URL"]).netloc
        self.connection = http.client.HTTPConnection(self.where, timeout=60)
        self.tenant = self.ask("state/Organisation")[0]["OrganisationID"]

    def ask(self, path, body=None):
        return self.request("GET" if body is None else "POST", f"/sandbox/{path}", body, {})

    def request(self, method, path, body, headers):
        data = None if body is None else json.dumps(body).encode()
        for again in (True, False):
            try:
                self.connection.request(method, path, data, {"Content-Type": "application/json", **headers})
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection.close()
                if not again:
                    raise
        if answer.status != 200:
            raise Refused(f"sandbox: {path} {body}: {text.decode()}")
        return json.loads(text) if text else None

    def do(self, path, body):
        Told.line(f"POST /sandbox/{path} {json.dumps(body, ensure_ascii=False)}")
        return self.ask(path, body)

    def write(self, method, path, body):
        """What a person does by another program."""
        Told.line(f"{method} {path} {json.dumps(body, ensure_ascii=False)}")
        return self.request(method, path, body, {"Authorization": "Bearer sandbox-token", "Accept": "application/json",
                                                 "xero-tenant-id": self.tenant})

    def records(self, kind):
        return {record[kind.id].lower(): record for record in self.ask(f"state/{kind.object}")}

    def mark(self):
        calls = self.ask("log?since=0")
        return calls[-1]["n"] if calls else 0

    def calls(self, since):
        """The calls since then that read or wrote records."""
        for _ in range(100):
            calls = self.ask(f"log?since={since}")
            if all(call["status"] for call in calls):
                break
            time.sleep(0.01)
        return [f'{call["method"]} {call["path"]}' for call in calls
                if not call["path"].startswith(("/connections", "/connect", "/identity", "/.well"))]


def moment(text):
    """Seconds since 1970, of /Date(1700000000000+0000)/ or a time of ISO 8601."""
    if text and text.startswith("/Date("):
        return int(text[6:].split("+")[0].rstrip(")/")) / 1000
    return None


def given(values):
    """Columns and their values as SQL."""
    return [(name, literal(value)) for name, value in values.items()]
