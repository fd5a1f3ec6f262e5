"""Sessions of a PostgreSQL server, for tests that hold many at once.

A session speaks the protocol itself, as psql would be a process for each and
tells no SQLSTATE apart from its text.  PGHOST is a folder; whoever may connect
through it is trusted.
"""
import asyncio
import os
import struct
import time


class Result:
    """Of one simple query: its rows as tuples of text, its tag, and its error."""

    def __init__(self):
        self.rows = []
        self.state = "00000"
        self.tag = ""
        self.error = ""
        self.notices = []
        self.seconds = 0.0


class Session:
    """One connection; begin() before use."""

    def __init__(self):
        self.path = f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ['PGPORT']}"
        self.pid = self.key = None
        self.reader = self.writer = None

    async def begin(self, **settings):
        self.reader, self.writer = await asyncio.open_unix_connection(self.path, limit=1 << 24)
        options = {"user": os.environ["PGUSER"], "database": os.environ["PGDATABASE"], **settings}
        words = b"".join(word.encode() + b"\0" for pair in options.items() for word in pair)
        self.writer.write(struct.pack("!ii", len(words) + 9, 196608) + words + b"\0")
        result = await self._collect(Result())
        if result.error:
            raise ConnectionError(result.error)
        return self

    async def _collect(self, result):
        while True:
            kind, length = struct.unpack("!ci", await self.reader.readexactly(5))
            body = await self.reader.readexactly(length - 4)
            if kind == b"Z":
                return result
            if kind == b"C":
                result.tag = body[:-1].decode()
            elif kind == b"D":
                result.rows.append(tuple(self._values(body)))
            elif kind in b"EN":
                fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
                text = "\n".join(fields[name] for name in (b"M", b"D", b"H", b"W") if name in fields)
                if kind == b"N":
                    result.notices.append(text)
                else:
                    result.state, result.error = fields[b"C"], text
            elif kind == b"K":
                self.pid, self.key = struct.unpack("!ii", body)

    @staticmethod
    def _values(body):
        at = 2
        for _ in range(struct.unpack_from("!h", body)[0]):
            length = struct.unpack_from("!i", body, at)[0]
            at += 4
            yield None if length < 0 else body[at:at + length].decode()
            at += max(length, 0)

    async def run(self, query):
        """The Result; state 57P02 if the connection ends meanwhile."""
        result = Result()
        began = time.monotonic()
        text = query.encode() + b"\0"
        try:
            self.writer.write(b"Q" + struct.pack("!i", len(text) + 4) + text)
            await self._collect(result)
        except (asyncio.IncompleteReadError, ConnectionError):
            result.state, result.error = "57P02", f"{result.error}\nthe connection has ended"
        result.seconds = time.monotonic() - began
        return result

    async def rows(self, query):
        """The rows of a query that must not fail."""
        result = await self.run(query)
        if result.error:
            raise RuntimeError(f"{result.state}: {result.error}\n{query}")
        return result.rows

    async def cancel(self):
        """Ask the server to cancel what runs."""
        _, writer = await asyncio.open_unix_connection(self.path)
        writer.write(struct.pack("!iiii", 16, 80877102, self.pid, self.key))
        await writer.drain()
        writer.close()

    def end(self):
        if self.writer is not None:
            self.writer.close()
