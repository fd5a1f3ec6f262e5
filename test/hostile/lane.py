"""A session, and a hostile Xero of its own."""
import asyncio
import collections
import itertools

from session import Session
from xero import CLIENT_SECRET, Xero

# Of a request, in ms: where Xero stalls, and where it only may be slow as this machine is busy.
TIMEOUT = 1500
PATIENT = 10_000

HANGS = 90                      # a statement that takes longer does, in s

numbers = itertools.count(1)


# slots: calls under way, and sessions that wait for their turn; calls: those that the budget was charged with; blocked:
# for how many seconds no call begins; by_day: as the day is used up; attempts: those that may have reached Xero, and
# counted: of them, those that cost Xero's budget.
Account = collections.namedtuple("Account", "slots calls blocked by_day attempts counted")


class Lane:
    def __init__(self, name, timeout=TIMEOUT):
        self.name = f"lane_{name}"
        self.timeout = timeout
        self.xero = Xero()
        self.session = None
        self.since = None

    async def begin(self, scheme="http", more="", **options):
        await self.xero.start(**options)
        await self.connect()
        url = f"{scheme}://127.0.0.1:{self.xero.port}"
        await self.session.rows(f"""
            CREATE SERVER {self.name} FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'none', grant_type 'client_credentials',
                api_url '{url}', identity_url '{url}', page_size '3', request_timeout '{self.timeout}', minute_limit '100000',
                day_limit '1000000', app_minute_limit '1000000' {more});
            CREATE USER MAPPING FOR PUBLIC SERVER {self.name} OPTIONS (client_secret '{CLIENT_SECRET}');
            CREATE SCHEMA {self.name};
            IMPORT FOREIGN SCHEMA accounting LIMIT TO (invoices, contacts, contact_groups) FROM SERVER {self.name} INTO {self.name};
            ALTER FOREIGN TABLE {self.name}.invoices ADD COLUMN attachments jsonb OPTIONS (field 'Attachments');
            ALTER FOREIGN TABLE {self.name}.contact_groups ADD COLUMN contacts jsonb OPTIONS (field 'Contacts')""")
        await self.connect()
        return self

    async def connect(self):
        """A new session."""
        if self.session is not None:
            self.session.end()
        for attempt in range(100):
            try:
                self.session = await Session().begin()
                break
            except (ConnectionError, OSError, asyncio.IncompleteReadError):
                if attempt == 99:
                    raise
                await asyncio.sleep(0.2)
        await self.session.rows("SET TimeZone = 'UTC'; SET xero_fdw.max_wait = '3s'; SET client_min_messages = error;"
                                f"SET search_path = {self.name}, public")

    async def forget(self, timeout=None):
        """Nothing is known of Xero any more: another application asks."""
        [(self.since,)] = await self.session.rows(f"""
            ALTER SERVER {self.name} OPTIONS (SET client_id 'app-{next(numbers)}', SET request_timeout '{timeout or self.timeout}');
            SELECT clock_timestamp()""")

    async def run(self, statement):
        try:
            return await asyncio.wait_for(self.session.run(statement), HANGS)
        except asyncio.TimeoutError:
            await self.connect()
            return None

    async def account(self):
        """What is left behind, as an Account."""
        [row] = await self.session.rows(f"""
            SELECT b.*, r.* FROM (
                SELECT coalesce(sum(in_flight + waiting), 0), coalesce(sum(calls), 0),
                    ceil(coalesce(max(extract(epoch FROM greatest(blocked_until, day_resets_at) - now())), 0)),
                    bool_or(last_problem LIKE 'day%')
                FROM xero_fdw.budget WHERE server = '{self.name}' AND stats_since >= '{self.since}') AS b, (
                SELECT count(*), count(*) FILTER (WHERE path LIKE '/api.xro/%') FROM xero_fdw.requests
                WHERE server = '{self.name}' AND at >= '{self.since}'
                    AND error IS DISTINCT FROM 'no connection' AND error IS DISTINCT FROM 'certificate refused') AS r""")
        return Account(int(row[0]), int(row[1]), int(row[2]), row[3] == "t", int(row[4]), int(row[5]))
