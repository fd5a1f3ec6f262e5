"""Xero's rate limits, per app and organisation, on the sandbox's clock.

60 calls a minute, 5,000 a day and 5 at once for each (client, tenant), 10,000
a minute for the client over all tenants.  With the tier Starter it is 1,000 a
day; custom connections, where the app acts for itself, are exempt from the
tiers (Xero's pricing of 2 March 2026).  Xero's pages describe both a fixed and
a rolling window, so both exist here: a fixed window begins at an instant of its
own for each tenant.  Refused calls are not charged.
"""
import math
from collections import deque

from .seeds import key_of

MINUTE = 60
DAY = 86_400
STARTER_DAY = 1000


class Window:
    """Calls charged within the last (or the current) period."""

    def __init__(self, period, fixed, phase):
        self.period = period
        self.fixed = fixed
        self.phase = phase % period
        self.calls = deque()

    def _expire(self, now):
        edge = now - self.period
        if self.fixed:
            edge = (now - self.phase) // self.period * self.period + self.phase - 1e-9
        while self.calls and self.calls[0] <= edge:
            self.calls.popleft()

    def used(self, now):
        self._expire(now)
        return len(self.calls)

    def charge(self, now):
        self.calls.append(now)

    def wait(self, now):
        """Whole seconds until a call is free again."""
        if self.fixed:
            end = ((now - self.phase) // self.period + 1) * self.period + self.phase
        else:
            end = (self.calls[0] if self.calls else now) + self.period
        return max(1, math.ceil(end - now))


class Refusal:
    """A 429: which limit, and for how long (None: Xero does not say)."""

    def __init__(self, problem, retry_after=None):
        self.problem = problem
        self.retry_after = retry_after


class Limits:
    def __init__(self, clock, *, minute=60, day=5000, concurrent=5, app_minute=10_000, window="rolling", enabled=True,
                 starter=False):
        self.clock = clock
        self.minute, self.day, self.concurrent, self.app_minute = minute, day, concurrent, app_minute
        self.fixed = window == "fixed"
        self.enabled = enabled
        self.starter = starter
        self.windows = {}
        self.in_flight = {}

    def reset(self):
        """Forget what was spent; calls in flight stay in flight."""
        self.windows.clear()

    def _window(self, kind, period, client, tenant):
        name = (kind, client, tenant)
        if name not in self.windows:
            self.windows[name] = Window(period, self.fixed, key_of(*name) % 86_400)
        return self.windows[name]

    def _windows(self, client, tenant):
        return (self._window("minute", MINUTE, client, tenant), self._window("day", DAY, client, tenant),
                self._window("appminute", MINUTE, client, None))

    def enter(self, client, tenant):
        """A call begins; its in-flight number, itself included."""
        count = self.in_flight.get((client, tenant), 0) + 1
        self.in_flight[client, tenant] = count
        return count

    def leave(self, client, tenant):
        self.in_flight[client, tenant] -= 1

    def _day_limit(self, starter):
        return min(self.day, STARTER_DAY) if self.starter and starter else self.day

    def admit(self, client, tenant, starter=False):
        """Charge a call that has entered, or say why not."""
        if not self.enabled:
            return None
        now = self.clock.now()
        minute, day, app = self._windows(client, tenant)
        if self.in_flight.get((client, tenant), 0) > self.concurrent:
            return Refusal("concurrent")
        for problem, window, limit in (("day", day, self._day_limit(starter)), ("minute", minute, self.minute),
                                       ("appminute", app, self.app_minute)):
            if window.used(now) >= limit:
                return Refusal(problem, window.wait(now))
        for window in (minute, day, app):
            window.charge(now)
        return None

    def headers(self, client, tenant, starter=False):
        """What every response says about what is left."""
        now = self.clock.now()
        used = [0, 0, 0]
        if self.enabled:
            used = [window.used(now) for window in self._windows(client, tenant)]
        return {"X-DayLimit-Remaining": str(max(0, self._day_limit(starter) - used[1])),
                "X-MinLimit-Remaining": str(max(0, self.minute - used[0])),
                "X-AppMinLimit-Remaining": str(max(0, self.app_minute - used[2]))}
