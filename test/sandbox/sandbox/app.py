"""Command line, HTTP server and life cycle of the sandbox."""
import argparse
import asyncio
import functools
import gc
import signal
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from .api import Api
from .clock import Clock
from .control import Control
from .faults import Faults
from .gateway import Gateway, Log
from .identity import Identity
from .limits import Limits
from .objects import ACCOUNTING_OBJECTS
from .org import Org, tenant_ids
from .writes import WRITE_QUIRKS

WARM_ROWS = 250_000
QUIRKS = ("manualjournals-order-unpaged", "archived-invoices", "failed-batch-writes-nothing", *WRITE_QUIRKS)
RESETTABLE = {"seed", "invoices", "contacts", "tenants", "country", "latency", "day_limit", "minute_limit",
              "concurrency", "strict", "window", "limits", "starter", "quirks", "high_volume", "attachments"}


def arguments(argv=None):
    parser = argparse.ArgumentParser(prog="xero-sandbox", description="A Xero that runs on this machine.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes any free port")
    add("--seed", type=int, default=1, help="same seed, same bytes")
    add("--invoices", type=int, default=250)
    add("--contacts", type=int, default=120)
    add("--tenants", type=int, default=1)
    add("--country", choices=("AU", "UK", "NZ"), default="AU", help="of the first tenant; the others rotate")
    add("--latency", type=float, default=0, metavar="MS", help="pause before every answer")
    add("--day-limit", type=int, default=5000)
    add("--starter", action="store_true", help="consents of sandbox-client have 1,000 calls a day")
    add("--minute-limit", type=int, default=60)
    add("--concurrency", type=int, default=5)
    add("--no-limits", dest="limits", action="store_false", help="no rate limits at all")
    add("--window", choices=("rolling", "fixed"), default="rolling", help="how the limits' windows move")
    add("--tls", nargs=2, metavar=("CERT", "KEY"))
    add("--attachments", type=int, default=0, metavar="PERCENT", help="of documents; of bills, twice as many")
    add("--strict", action="store_true", help="400 for what Xero ignores silently")
    add("--quirk", dest="quirks", action="append", choices=QUIRKS, default=[])
    add("--high-volume", type=int, nargs="?", const=100_000, default=0, metavar="ROWS",
        help="refuse inefficient requests to objects with more rows than this")
    return parser.parse_args(argv)


class World:
    """Everything there is; one instance a process."""

    def __init__(self, options):
        self.options = options
        self.given = dict(vars(options))
        self.clock = Clock()
        self.log = Log()
        self.faults = Faults()
        self.identity = Identity(self.clock, "https" if options.tls else "http")
        self.api = Api(options, self.clock)
        self.worker = ThreadPoolExecutor(1, "data")
        self._found()

    def _found(self):
        options = self.options
        self.limits = Limits(self.clock, minute=options.minute_limit, day=options.day_limit, window=options.window,
                             concurrent=options.concurrency, enabled=options.limits, starter=options.starter)
        self.orgs = {tenant: Org(options, number, tenant)
                     for number, tenant in enumerate(tenant_ids(options.seed, options.tenants))}
        self.identity.reset(options.seed, self.orgs)
        self.api.reset()
        gc.collect()
        gc.set_threshold(200_000, 20, 100)      # records are trees, not rings: little to collect

    def warm(self):
        """Prepare the first organisation's bulk tables while nobody asks; each
        step is a job of its own, so requests get in between."""
        if max(self.options.invoices, self.options.contacts) > WARM_ROWS:
            return
        org = next(iter(self.orgs.values()), None)
        for name in ("Invoices", "Contacts") if org else ():
            spec = ACCOUNTING_OBJECTS[name]
            self.worker.submit(lambda spec=spec: [self.worker.submit(step)
                                                  for step in org.warm(spec, spec.optimised)])

    def reset(self, members):
        """A fresh world: as the command line said, but for these members."""
        unknown = set(members) - RESETTABLE
        if unknown:
            raise ValueError(f"unknown members: {', '.join(sorted(unknown))}")
        vars(self.options).update({**self.given, **members})
        self.clock.offset = 0.0
        self.log.reset()
        self.faults.replace([])
        self._found()
        self.warm()
        return {"ok": True, "tenants": list(self.orgs)}

    async def on_worker(self, function, *args):
        """Run on the one thread that touches data."""
        return await asyncio.get_running_loop().run_in_executor(self.worker, functools.partial(function, *args))


async def serve(world):
    options = world.options
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes(Control(world).routes())
    app.router.add_route("*", "/{path:.*}", Gateway(world).handle)
    tls = None
    if options.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*options.tls)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=600)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", options.port), backlog=1024)
    await web.SockSite(runner, listener, ssl_context=tls, shutdown_timeout=1).start()
    port = listener.getsockname()[1]
    print(f"listening on {'https' if tls else 'http'}://127.0.0.1:{port}", flush=True)
    world.warm()
    await stop.wait()
    await runner.cleanup()
    world.worker.shutdown(wait=False, cancel_futures=True)


def main(argv=None):
    asyncio.run(serve(World(arguments(argv))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
