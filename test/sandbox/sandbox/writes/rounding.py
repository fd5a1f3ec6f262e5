"""Decimal places, halves away from zero."""
from decimal import ROUND_HALF_UP, Context, Decimal

WIDE = Context(prec=60)
STEPS = {n: Decimal(1).scaleb(-n) for n in (2, 4, 6)}
ZERO = Decimal("0.00")


def places(number, n):
    return Decimal(number).quantize(STEPS[n], ROUND_HALF_UP, WIDE)


def cents(number):
    return places(number, 2)


def amount(record, name):
    """A member as a number; one that is missing or null counts nothing."""
    value = record.get(name)
    return Decimal(value) if value not in (None, "") else ZERO
