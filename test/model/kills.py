"""Kills at the points where a run commits: before each of its steps begins, when
the one before it is committed, and when it has done all but to commit.
"""
import random
from itertools import count

from book import Book, Rules
from kinds import Contacts, Items
from rounds import Round

SEED = 176      # some rows, some records, and some that match

# The run of a session counts its points; with SET kills.at it sends itself
# the signal kills.signal at that point.
ENGINE = """
CREATE SCHEMA kills;
CREATE SEQUENCE kills.points;
CREATE FUNCTION kills.point() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('kills.points')::text = current_setting('kills.at', true) THEN
        EXECUTE format('COPY (SELECT) TO PROGRAM %L',
            format('cat; kill -%s %s', current_setting('kills.signal'), pg_backend_pid()));
    END IF;
END $$;
ALTER FUNCTION xero_fdw._begin_run(integer, boolean) RENAME TO _begun;
CREATE FUNCTION xero_fdw._begin_run(integer, boolean) RETURNS xero_fdw._run LANGUAGE plpgsql AS $$
DECLARE
    made CONSTANT xero_fdw._run := xero_fdw._begun($1, $2);
BEGIN
    PERFORM kills.point();
    RETURN made;
END $$;
ALTER FUNCTION xero_fdw._step(xero_fdw._run) RENAME TO _stepped;
CREATE FUNCTION xero_fdw._step(INOUT state xero_fdw._run, OUT decisions xero_fdw._decision[]) LANGUAGE plpgsql AS $$
DECLARE
    made record;
BEGIN
    PERFORM kills.point();
    made := xero_fdw._stepped(state);
    state := made.state;
    decisions := made.decisions;
    PERFORM kills.point();
END $$;
ALTER FUNCTION xero_fdw._end_run(xero_fdw._run, text, text) RENAME TO _ended;
CREATE FUNCTION xero_fdw._end_run(xero_fdw._run, text, text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome CONSTANT text := xero_fdw._ended($1, $2, $3);
BEGIN
    PERFORM kills.point();
    RETURN outcome;
END $$;
"""


class Killed(Round):
    """The same round each time, but for the point at which its runs are killed: the first
    one, and one that has edits of both sides to carry."""

    def __init__(self, kind, point, here, there):
        super().__init__(SEED, here, there)
        self.rng = random.Random(SEED)
        self.kind, self.parted = kind(self.rng), False
        self.rules = Rules(self.kind, "both", "newest", "merge", "archive", [])
        self.book = Book(self.rules)
        self.point, self.signal = point, "TERM" if point % 4 else "KILL"
        self.hit = False

    def __str__(self):
        return f"{self.kind.name}, kill -{self.signal} at point {self.point}"

    async def play(self):
        await self.begin()
        await self.run(Killed.kill)
        await self.rest()
        for edit in [self.update, self.change] * 3 + [self.insert, self.create] * 2 + [self.delete]:
            done = edit()
            if done is not None:
                await done
        await self.run(Killed.kill)
        await self.rest()

    async def kill(self):
        self.hit = await self.call_until(self.point, self.signal) or self.hit


def at_each_point(here, there, first, step):
    """Rounds for each step-th point, as far as there are any."""
    for kind in Contacts, Items:
        for point in count(first, step):
            one = Killed(kind, point, here, there)
            yield one
            if not one.hit:
                break
