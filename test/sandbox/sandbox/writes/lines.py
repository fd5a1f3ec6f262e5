"""Line items of a document.

An array of lines replaces the old lines: one with a known LineItemID updates
that line, one without is new, and a line that is not mentioned is gone.
Amounts are computed; what the sender computed must agree.
"""
from decimal import Decimal

from ..values import Number, UnitAmount
from . import messages
from .rounding import cents, places
from .totals import HUNDRED, tax

LARGEST = Decimal("9999999999.99")
NEARLY = Decimal("0.02")            # two amounts that were rounded on their own
NO_LINE_ACCOUNTS = ("DEBTORS", "CREDITORS")
AMOUNTS = {"Quantity", "UnitAmount", "LineAmount", "DiscountRate", "DiscountAmount", "TaxType", "ItemCode"}


class Lines:
    """Lines of one document, whose handler collects the complaints."""

    def __init__(self, handler, style, sales, discounts, any_account=False):
        self.handler = handler
        self.books = handler.books
        self.refuse = handler.refuse
        self.style = style.lower()
        self.sales = sales
        self.discounts = discounts
        self.any_account = any_account

    def replace(self, given, old, recompute=False):
        """The lines that an array of lines leaves."""
        known = {line["LineItemID"]: line for line in old if line.get("LineItemID")}
        lines = []
        for n, line in enumerate(given):
            noted = len(self.handler.reasons)
            key = line.get("LineItemID")
            if key and key not in known:
                self.refuse(messages.BAD_LINE_ID, key)
            elif key:
                lines.append(self._line(line, known[key], recompute))
            else:
                lines.append(self._line(line, {}, False))
            self.handler.reasons[noted:] = [messages.OfLine(reason, n) for reason in self.handler.reasons[noted:]]
        return lines

    def _line(self, given, old, recompute):
        line = dict(old)
        for name, value in given.items():
            if name not in ("Tracking", "Item", "LineAmount", "TaxAmount"):
                line[name] = value
        if not old:
            line["LineItemID"] = self.books.new_part_id("lines")
        self._item(line, given)
        self._account(line, given, old)
        line["Tracking"] = self.tracking(given["Tracking"], old.get("Tracking")) if "Tracking" in given else \
            old.get("Tracking", [])
        if line.get("UnitAmount") is None and given.get("LineAmount") is None:
            return {name: value for name, value in line.items() if value != ""}     # a description and nothing else
        self._amount(line, given, old)
        self._tax(line, given, old, recompute)
        if not Decimal(line["LineAmount"]):                     # calcinai/xero-php#660
            for name in ("AccountCode", "AccountID"):
                line.pop(name, None)
        return line

    def _item(self, line, given):
        """An item gives what the line does not say."""
        code = given.get("ItemCode") or given.get("Item", {}).get("Code")
        if given.get("ItemCode") == "":
            for name in ("ItemCode", "Item", "ItemID"):
                line.pop(name, None)
        if not code:
            return
        found = self.books.find("Items", "Code", code)
        if not found:
            return self.refuse(messages.BAD_ITEM, code)
        item = found[0]
        line["ItemCode"] = item["Code"]
        if self.handler.spec.name == "PurchaseOrders":
            line["ItemID"] = item["ItemID"]
        else:
            line["Item"] = {"ItemID": item["ItemID"], "Name": item.get("Name"), "Code": item["Code"]}
        details = item.get("SalesDetails" if self.sales else "PurchaseDetails") or {}
        text = item.get("Description" if self.sales else "PurchaseDescription")
        price = details.get("UnitPrice")
        if price is not None and not self.handler.spec.four_decimals(self.handler.call.params):
            price = UnitAmount(places(cents(price), 4))
        usual = {"UnitAmount": price, "TaxType": details.get("TaxType"), "Description": text,
                 "AccountCode": details.get("AccountCode") or details.get("COGSAccountCode")}
        for name, value in usual.items():
            if value is not None and name not in line and not (name == "AccountCode" and "AccountID" in line):
                line[name] = value

    def _account(self, line, given, old):
        if given.get("AccountCode") and "AccountID" not in given:
            line.pop("AccountID", None)
        if not line.get("AccountCode") and not line.get("AccountID"):
            return
        same_code = old and line.get("AccountCode") == old.get("AccountCode")
        if same_code and given.get("AccountID") in (None, old.get("AccountID")):
            return                                              # though it may be archived by now
        account = self.books.account(line)
        if account and {"AccountCode", "AccountID"} <= set(given) and account["Code"] != given["AccountCode"]:
            return self.refuse(messages.TWO_ACCOUNTS)
        if not account or account["Status"] != "ACTIVE" or not self._usable(account):
            return self.refuse(messages.BAD_ACCOUNT, line.get("AccountCode") or line["AccountID"])
        line["AccountCode"], line["AccountID"] = account["Code"], account["AccountID"]

    def _usable(self, account):
        return self.any_account or (account["Type"] != "BANK" and account.get("SystemAccount") not in NO_LINE_ACCOUNTS)

    def tracking(self, given, old=None):
        """Tracking elements in full, from ids or names.  What a line has it may
        keep, though it was archived."""
        elements, categories = [], self.books.records("TrackingCategories")
        for words in given:
            if words in (old or []):
                elements.append(words)
                continue
            option = next((self._element(category, option) for category in categories
                           if names(words, category, "TrackingCategoryID", "Name")
                           for option in category["Options"]
                           if category["Status"] == "ACTIVE" and option["Status"] == "ACTIVE"
                           and names(words, option, "TrackingOptionID", "Option")), None)
            if option:
                elements.append(option)
            else:
                self._drop_tracking(words)
        if len(elements) > 2 or len({e["TrackingCategoryID"] for e in elements}) < len(elements):
            self.refuse(messages.TOO_MUCH_TRACKING)
        return elements

    def _drop_tracking(self, words):
        """Reports: what Xero does not know is dropped without a word; others
        have seen a warning, or a refusal."""
        name = words.get("Option") or words.get("Name") or words.get("TrackingOptionID") or words.get("TrackingCategoryID")
        if self.books.has("tracking-refused"):
            self.refuse(messages.BAD_TRACKING, name)
        elif self.books.has("tracking-warned"):
            self.books.warnings.append(messages.BAD_TRACKING.format(name))

    @staticmethod
    def _element(category, option):
        return {"Name": category["Name"], "Option": option["Name"],
                "TrackingCategoryID": category["TrackingCategoryID"], "TrackingOptionID": option["TrackingOptionID"]}

    def _amount(self, line, given, old):
        """LineAmount from quantity, price and discount, or the price from it."""
        quantity = Decimal(line.setdefault("Quantity", Number("1.0000")))
        only_amount = AMOUNTS & set(given) == {"LineAmount"} and quantity
        if "LineAmount" in given and (line.get("UnitAmount") is None or only_amount):
            line["UnitAmount"] = UnitAmount(places(Decimal(given["LineAmount"]) / (quantity or 1), 4))
            full = Decimal(given["LineAmount"])
        else:
            full = quantity * Decimal(line["UnitAmount"])
        expected = cents(full - self._discount(line, given, full, old))
        if "LineAmount" in given and Decimal(given["LineAmount"]) != expected:
            self.refuse(messages.BAD_LINE_TOTAL, given["LineAmount"], expected)
        elif "LineAmount" in given and not expected and line.get("DiscountRate"):
            self.refuse(messages.BAD_LINE_TOTAL, "-0.01", expected)      # XeroAPI/Xero-NetStandard#147
        if abs(expected) > LARGEST:
            self.refuse(messages.LINE_TOO_LARGE)
        line["LineAmount"] = Number(expected)

    def _discount(self, line, given, full, old):
        """By rate or by amount; both together must agree."""
        rate, by_amount = line.get("DiscountRate"), line.get("DiscountAmount")
        if not (rate or by_amount):
            return 0
        if given.get("DiscountAmount") is not None and Decimal(given["DiscountAmount"]) > max(full, 0):
            self.refuse(messages.DISCOUNT_TOO_LARGE, given["DiscountAmount"])
            return 0
        if not self.discounts and (rate, by_amount) != (old.get("DiscountRate"), old.get("DiscountAmount")):
            self.refuse(messages.NO_DISCOUNTS)
            return 0
        if given.get("DiscountAmount") is not None and given.get("DiscountRate") is None or not rate:
            line.pop("DiscountRate", None)
            return Decimal(by_amount)
        taken = full * Decimal(rate) / HUNDRED
        if given.get("DiscountAmount") is None:
            line["DiscountAmount"] = Number(cents(full) - cents(full - taken))
        elif abs(Decimal(by_amount) - taken) > NEARLY:
            self.refuse(messages.TWO_DISCOUNTS)
        return taken

    def _tax(self, line, given, old, recompute):
        """The account's tax unless another is named; a given amount stands."""
        if self.style == "notax":
            line.update(TaxType="NONE", TaxAmount=Number("0.00"))
            return
        account = self.books.account(line) if line.get("AccountID") else None
        if not line.get("TaxType"):
            line["TaxType"] = (account or {}).get("TaxType") or "NONE"
        known = line["TaxType"] == old.get("TaxType")
        rate = self.books.get("TaxRates", line["TaxType"]) if known else self.books.tax_rate(line["TaxType"])
        if not rate:
            return self.refuse(messages.BAD_TAX, line["TaxType"])
        percent = Decimal(rate["EffectiveRate"])
        if account and not known and not fits(rate, account):
            self.refuse(messages.TAX_ON_ACCOUNT, line["TaxType"], account["Code"])
        if "TaxAmount" in given:
            line["TaxAmount"] = given["TaxAmount"]
        elif not old or recompute or AMOUNTS & set(given) or "TaxAmount" not in line:
            line["TaxAmount"] = Number(tax(Decimal(line["LineAmount"]), percent, self.style))

    def complete(self, lines):
        """What lines need before their document can be approved."""
        if not lines:
            self.refuse(messages.NO_LINES)
        for n, line in enumerate(lines):
            noted = len(self.handler.reasons)
            if not line.get("Description"):
                self.refuse(messages.REQUIRED, "Description")
            # spec, LineItem: a description by itself is a line; docs: approved ones need an account
            if line.get("UnitAmount") is None and not self.books.has("description-lines"):
                self.refuse(messages.REQUIRED, "UnitAmount")
                self.refuse(messages.NO_ACCOUNT)
            elif line.get("UnitAmount") is not None and Decimal(line["LineAmount"]) and not line.get("AccountCode") and \
                    not line.get("AccountID"):
                self.refuse(messages.NO_ACCOUNT)
            self.handler.reasons[noted:] = [messages.OfLine(reason, n) for reason in self.handler.reasons[noted:]]


def fits(rate, account):
    """docs: a tax type must fit the account; one without tax fits any."""
    return not Decimal(rate["EffectiveRate"]) or rate.get("CanApplyTo" + APPLIES.get(account.get("Class"), "Equity"), True)


APPLIES = {"REVENUE": "Revenue", "EXPENSE": "Expenses", "ASSET": "Assets", "LIABILITY": "Liabilities",
           "EQUITY": "Equity"}


def names(words, thing, key, word):
    """Whether the words mean this thing: by id, else by name."""
    if words.get(key):
        return words[key] == thing[key]
    return bool(words.get(word)) and words[word].lower() == thing["Name"].lower()
