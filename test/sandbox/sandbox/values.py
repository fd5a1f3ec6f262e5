"""Leaf values of a record that JSON has no type for.

A record is a plain dict in Xero's spelling.  Its leaves are str, bool, int,
None and the types below; the renderer decides how each one is spelled on the
wire, the filter language decides how each one compares.
"""
import datetime
import functools
import re
from decimal import Decimal

EPOCH = datetime.datetime(1970, 1, 1)
MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
ISO_DATE = re.compile(r"^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$")
DAY_MS = 86_400_000


class Instant(int):
    """A point in time: milliseconds since 1970 UTC."""
    __slots__ = ()


class Day(int):
    """A calendar date: milliseconds of its midnight in UTC, no time zone."""
    __slots__ = ()


class Iso(str):
    """A date of the camelCase APIs: already ISO text, compared as text."""
    __slots__ = ()


class Number(str):
    """A decimal number with the digits Xero prints: '40.00', '1.0000000000'."""
    __slots__ = ()


class UnitAmount(str):
    """A price with four decimals, shown with two unless unitdp=4."""
    __slots__ = ()

    def two_decimals(self):
        return str(Decimal(self).quantize(Decimal("0.01"), "ROUND_HALF_UP"))


def money(cents):
    """Cents (an int) as a Number with two decimals."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return Number(f"{sign}{cents // 100}.{cents % 100:02d}")


def day(text):
    """'2024-02-29' as a Day."""
    return Day((datetime.datetime.strptime(text, "%Y-%m-%d") - EPOCH).days * DAY_MS)


@functools.lru_cache(10_000)
def _iso_day(days):
    return (EPOCH + datetime.timedelta(days=days)).date().isoformat()


def iso_seconds(ms):
    """Milliseconds as '2018-10-20T00:00:00'."""
    days, rest = divmod(ms, DAY_MS)
    seconds = rest // 1000
    return f"{_iso_day(days)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def parse_ms(text):
    """Milliseconds of a /Date()/ or ISO text, or None.  The offset inside
    /Date()/ is informational: the number is UTC already."""
    match = MS_DATE.match(text)
    if match:
        return int(match[1])
    match = ISO_DATE.match(text)
    if not match:
        return None
    year, month, dom, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime.datetime(int(year), int(month), int(dom), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    ms = (moment - EPOCH) // datetime.timedelta(milliseconds=1)
    if fraction:
        ms += int(float(fraction) * 1000)
    if zone and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        ms -= (1 if zone[0] == "+" else -1) * (hours * 60 + minutes) * 60_000
    return ms
