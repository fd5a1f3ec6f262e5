"""Items, plain and tracked as inventory."""
from ..values import Number
from . import messages
from .handler import Handler


class Items(Handler):
    def match(self, given):
        found = self.books.find("Items", "Code", given["Code"]) if given.get("Code") else []
        return found[0] if found else None

    def create(self, given):
        self.require(given, "Code")
        record = {"ItemID": self.books.new_id("Items"), "Name": given.get("Code"), "IsSold": True, "IsPurchased": True,
                  "IsTrackedAsInventory": False, "PurchaseDetails": {}, "SalesDetails": {}}
        return self._store(record, given, None)

    def change(self, item, given):
        if not given.get("Code"):                           # even of an item that is found by its id
            self.stop(messages.ITEM_CODE_NEEDED)
        return self._store(dict(item), given, item)

    def _store(self, record, given, before):
        code = given.get("Code")
        if code and code != (before or {}).get("Code") and self.taken("Code", code, record["ItemID"]):
            self.refuse(messages.ITEM_CODE_TAKEN, code)
        for name in ("PurchaseDetails", "SalesDetails"):
            if name in given:
                self._details(given[name])
                given = {**given, name: {**record.get(name, {}), **given[name]}}
        record.update(given)
        self._tracked(record)
        self.settle()
        return self.books.save("Items", record)

    def _details(self, details):
        for name in ("AccountCode", "COGSAccountCode"):
            account = self.books.account({"Code": details[name]}) if details.get(name) else None
            if details.get(name) and (not account or account["Status"] != "ACTIVE"):
                self.refuse(messages.BAD_ACCOUNT, details[name])
        if details.get("TaxType") and not self.books.tax_rate(details["TaxType"]):
            self.refuse(messages.BAD_TAX, details["TaxType"])

    def _tracked(self, record):
        """An inventory account makes a tracked item; it needs both accounts."""
        code = record.get("InventoryAssetAccountCode")
        if not code:
            return
        account = self.books.account({"Code": code})
        sold_at = (record.get("PurchaseDetails") or {}).get("COGSAccountCode")
        if not account or account["Type"] != "INVENTORY" or not sold_at:
            self.refuse(messages.TRACKED_ITEM)
        record["IsTrackedAsInventory"] = True
        record.setdefault("TotalCostPool", Number("0.00"))
        record.setdefault("QuantityOnHand", Number("0.0000"))

    def remove(self, item):
        if item.get("IsTrackedAsInventory") and float(item.get("QuantityOnHand") or 0):
            self.stop(messages.ITEM_USED)
        self.books.remove("Items", item["ItemID"])
