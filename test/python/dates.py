"""Xero's dates as jsonb columns show them.  Shares no code with the extension."""
import datetime
import re

MS_DATE = re.compile(r"/Date\((-?[0-9]+)(?:[+-][0-9]{4})?\)/")
EPOCH = datetime.datetime(1970, 1, 1)


def from_epoch(match):
    """What a match of MS_DATE says, in UTC."""
    return EPOCH + datetime.timedelta(milliseconds=int(match[1]))


def shown(name, value):
    """A member's value: in one that is called a date, an epoch becomes ISO 8601."""
    match = isinstance(value, str) and "date" in name.lower() and MS_DATE.fullmatch(value)
    if not match:
        return value
    at = from_epoch(match)
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds") + "Z"
