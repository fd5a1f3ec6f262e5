"""See the file "run"."""
import asyncio
import logging
import os
import sys
import time

import ends
import http2
import matrix
import tls
from session import Session

SHOWN = 400


class Count:
    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, faults):
        """One test: "faults" are texts of what is wrong."""
        if not faults:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= SHOWN:
            print(f"not ok: {name}\n    " + "\n    ".join(fault.replace("\n", "\n      ") for fault in faults), flush=True)


def check_log(count):
    """No secret, no crash and no leak in what the server has logged."""
    with open(os.environ["HOSTILE_LOG"], encoding="utf-8", errors="replace") as log:
        lines = log.read().splitlines()
    for what, words in (("secret", ["hostile-secret"]), ("crash", ["terminated by signal", "PANIC:", "TRAP:"]),
                        ("leak", ["reference leak", "write past chunk", "leaked"])):
        found = [line for line in lines if any(word in line for word in words)]
        count(f"the server's log shows no {what}", found[:5])


async def run(part, *arguments):
    began = time.monotonic()
    await part.run(*arguments)
    print(f"{part.__name__}: {time.monotonic() - began:.0f} s", flush=True)


async def main(full, only):
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    session = await Session().begin()
    await session.rows("CREATE EXTENSION xero_fdw")
    session.end()
    count = Count()
    await asyncio.gather(*[run(part, count, full, only) for part in (matrix, tls, http2)])
    await run(ends, count, full, only)
    check_log(count)
    print(f"{count.passed} passed, {count.failed} failed")
    return count.failed != 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main("--full" in sys.argv, next((word for word in sys.argv[1:] if word != "--full"), ""))))
