"""Rounds of the model, one after the other: see run."""
import argparse
import asyncio
import os
import sys
import time
import traceback

from book import Broken
from database import connect, run as psql
from kills import ENGINE, at_each_point
from kinds import KINDS
from rounds import Round
from sides import Here, There, Told


# An engine that forgets what came from Xero.
FUNCTION = "xero_fdw._update_local(xero_fdw.sync, jsonb[], jsonb[], text[])"
GOOD, BAD = "AS r(%s) WHERE %s", "AS r(%s) WHERE false AND %s"


async def notices(here, there):
    """Does the model notice an engine that loses edits?"""
    source = (await here.judge.rows(f"SELECT pg_get_functiondef('{FUNCTION}'::regprocedure)"))[0][0]
    if GOOD not in source:
        raise RuntimeError("the engine cannot be broken as it was")
    await here.judge.rows(source.replace(GOOD, BAD))
    try:
        for seed in range(10):
            try:
                await Round(seed, here, there).play()
            except Broken:
                return True
    finally:
        await here.judge.rows(source)
    return False


async def play(one, here, there, kept=None):
    """What is wrong, if anything is; then what was done is written into the folder "kept"."""
    Told.lines = []
    try:
        await one.play()
        return None
    except Broken as problem:
        await here.tell_engine()
        wrong = f"{one}: {problem}"
    except Exception:       # pylint: disable=broad-except
        there.ask("faults", [])
        await here.reopen()
        wrong = f"{one}: {traceback.format_exc()}"
    if kept:
        with open(os.path.join(kept, f"model.{one.seed}.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join([*Told.lines, wrong, ""]))
    return wrong


async def work(options):
    there = There()
    here = Here()
    await here.open()
    passed = failed = doubtful = 0
    began = time.monotonic()
    for number in range(options.rounds):
        seed = options.first + number * options.step
        problem = await play(Round(seed, here, there), here, there, options.kept)
        if problem and not options.tell and await play(Round(seed, here, there), here, there) is None:
            # kills and edits meanwhile come at other times then: a few such there may be
            doubtful += 1
            print(f"passed when it was replayed: {problem}", flush=True)
            if doubtful <= 1 + options.rounds // 50:
                problem = None
        if problem:
            failed += 1
            print(problem, flush=True)
        else:
            passed += 1
    points = 0
    for one in at_each_point(here, there, options.points, options.step) if options.points else ():
        problem = await play(one, here, there, options.kept)
        points += one.hit
        if problem:
            failed += 1
            print(problem, flush=True)
        else:
            passed += 1
    if not options.tell and options.rounds > 1:
        if await notices(here, there):
            passed += 1
        else:
            failed += 1
            print("an engine that loses edits is not noticed")
    print(f"{passed} passed, {failed} failed", flush=True)
    print(f"({(time.monotonic() - began) / max(1, passed + failed):.2f} s a round"
          f"{f', {points} points at which runs were killed' if points else ''})", flush=True)
    here.close()
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--step", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--points", type=int)
    parser.add_argument("--kind", choices=[kind.name for kind in KINDS])
    parser.add_argument("--tell", action="store_true")
    parser.add_argument("--kept")
    options = parser.parse_args()
    Told.shown = options.tell
    if options.kind:
        Round.kinds = {kind: 1 for kind in KINDS if kind.name == options.kind}
    connect(["accounting", "payroll_au"], request_timeout=1000)
    psql("""SET client_min_messages = warning;
        ALTER SCHEMA accounting RENAME TO xero;
        CREATE ROLE books LOGIN;
        CREATE SCHEMA crm AUTHORIZATION books;
        GRANT USAGE ON SCHEMA xero, payroll_au TO books;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA xero, payroll_au TO books;""" + ENGINE)
    sys.exit(1 if asyncio.run(work(options)) else 0)


main()
