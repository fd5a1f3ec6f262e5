"""Line items, and the sums Xero makes of them.

Integer arithmetic: quantities and prices in ten-thousandths, money in cents.
Tax is rounded for each line, then summed.
"""
from decimal import ROUND_HALF_UP, Decimal

from ..seeds import mix
from ..values import Number, UnitAmount, money
from .ledger import CHART, EXPENSES, ITEMS, REVENUE

TEXTS = ["Consulting, March", "Golf balls \"white\"", "Café crème × 2", "Rent – 1st floor", "Line\r\nbreak", "C:\\temp\\x",
         "Widget 🧩", "O'Hara's order", "Freight & handling", "Deposit"]


def ten_thousandths(n):
    return f"{n // 10000}.{n % 10000:04d}"


class Lines:
    """Lines of one kind of document; `seed` numbers them."""

    def __init__(self, org, kind):
        self.org = org
        self.seed = org.key(kind + " lines")
        self.ids = org.ids(kind + " lines")
        self.rate = org.locale["rate"]

    def amounts(self, row, draft=False):
        """[(bits, quantity, price, discount percent, amount, tax rate)] of a document."""
        h = mix(self.seed + row)
        lines = []
        for n in range(1 + (h & 3)):
            g = mix(h + n)
            if draft and g & 15 == 0:
                lines.append((g, None, None, 0, 0, 0))            # a description and nothing else
                continue
            quantity = ((g >> 4) % 20 + 1) * 10_000 + (5_000 if g & 0x700 == 0 else 0)
            price = ((g >> 12) % 50_000 + 100) * 100 + ((g >> 30) % 100 if g & 0x3800 == 0 else 0)
            discount = 5 + (g >> 40 & 1) * 7 if g >> 44 & 15 == 0 else 0
            amount = (quantity * price * (100 - discount) + 50_000_000) // 100_000_000
            lines.append((g, quantity, price, discount, amount, self.rate if g >> 50 & 7 else 0))
        return lines

    def totals(self, lines, style):
        """(sub total, tax, total) in cents, for Exclusive, Inclusive or NoTax."""
        amount = sum(line[4] for line in lines)
        if style == "NoTax":
            return amount, 0, amount
        if style == "Inclusive":
            tax = sum(self.tax(line, style) for line in lines)
            return amount - tax, tax, amount
        tax = sum(self.tax(line, style) for line in lines)
        return amount, tax, amount + tax

    @staticmethod
    def tax(line, style):
        _, _, _, _, amount, rate = line
        if style == "NoTax":
            return 0
        base = 100 + rate if style == "Inclusive" else 100
        return (amount * rate * 2 + base) // (base * 2)

    def records(self, row, lines, style, sales):
        ledger, locale = self.org.ledger, self.org.locale
        taxed = locale["sales" if sales else "purchases"]
        free = locale["free" if sales else "free_in"]
        records = []
        for n, line in enumerate(lines):
            g, quantity, price, discount, amount, rate = line
            text = TEXTS[g >> 20 & 7] if g & 0x10000 else f"{TEXTS[(g >> 20) % 10]} #{g >> 24 & 0xffff}"
            if quantity is None:
                records.append({"Description": text, "LineItemID": self.ids.of(row * 8 + n), "Tracking": []})
                continue
            account = (REVENUE if sales else EXPENSES)[(g >> 33) % (2 if sales else 5)]
            record = {
                "Description": text, "UnitAmount": UnitAmount(ten_thousandths(price)),
                "TaxType": "NONE" if style == "NoTax" else taxed if rate else free,
                "TaxAmount": money(self.tax(line, style)), "LineAmount": money(amount),
                "AccountCode": CHART[account][0], "Tracking": [], "Quantity": Number(ten_thousandths(quantity)),
                "LineItemID": self.ids.of(row * 8 + n)}
            if g >> 54 & 1:
                record["Tracking"] = [option[(g >> 55) % len(option)] for option in
                                      ledger.tracking_options[:1 + (g >> 60 & 1)]]
            if discount:
                record["DiscountRate"] = Number(f"{discount}.00")
                record["DiscountAmount"] = money((quantity * price + 500_000) // 1_000_000 - amount)
                record["DiscountEnteredAsPercent"] = True
            if g >> 58 & 3 == 0:
                item = (g >> 6) % 5
                record["ItemCode"] = ITEMS[item][0]
                record["Item"] = {"ItemID": ledger.item_ids[item], "Name": ITEMS[item][1], "Code": ITEMS[item][0]}
            if g >> 36 & 7 == 0:
                record["AccountID"] = ledger.account_ids[account]
            if g >> 14 & 31 == 0:
                record.update({"Taxability": "TAXABLE", "SalesTaxCodeId": 4711, "RepeatingInvoiceID":
                               self.org.ids("RepeatingInvoices").of(0), "TaxBreakdown": [
                                   {"TaxComponentId": self.org.ids("TaxComponents").of(0), "Type": "SYSGST/USSTATE",
                                    "Name": "State", "TaxPercentage": Number("5.0000"), "TaxAmount": money(1),
                                    "TaxableAmount": money(amount), "NonTaxableAmount": money(0),
                                    "ExemptAmount": money(0), "StateAssignedNo": "7", "JurisdictionRegion": "CA"}]})
            records.append(record)
        return records


def without_tax(line):
    """A line of an INCLUSIVE quote, as it is shown."""
    return _scaled(line, -1)


def with_tax(line):
    """The line that is shown so."""
    return _scaled(line, 1)


def _scaled(line, sign):
    """A line with its tax added or taken off, and prices to match."""
    now = Decimal(line.get("LineAmount") or 0)
    to = now + sign * Decimal(line.get("TaxAmount") or 0)
    if to == now:
        return line

    def part(name, places):
        return (Decimal(line[name]) * to / now).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)

    shown = {**line, "LineAmount": Number(to), "UnitAmount": UnitAmount(part("UnitAmount", 4))}
    if line.get("DiscountAmount"):
        shown["DiscountAmount"] = Number(part("DiscountAmount", 2))
    return shown
