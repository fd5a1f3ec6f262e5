"""Sums of documents: tax is rounded for each line, then summed."""
from decimal import Decimal

from ..values import Number
from .rounding import ZERO, amount, cents

HUNDRED = Decimal(100)


def tax(line_amount, rate, style):
    """Tax of a line; an inclusive amount holds it already."""
    if style == "notax":
        return ZERO
    base = HUNDRED + rate if style == "inclusive" else HUNDRED
    return cents(line_amount * rate / base)


def sums(lines, style, name="LineAmount"):
    """SubTotal, TotalTax and Total of lines."""
    total = sum((amount(line, name) for line in lines), ZERO)
    taxes = sum((amount(line, "TaxAmount") for line in lines), ZERO)
    sub = total - taxes if style == "inclusive" else total
    return {"SubTotal": Number(sub), "TotalTax": Number(taxes), "Total": Number(sub + taxes)}


def discount(lines):
    """TotalDiscount, or None without any."""
    given = [amount(line, "DiscountAmount") for line in lines if line.get("DiscountAmount")]
    return Number(sum(given, ZERO)) if given else None
