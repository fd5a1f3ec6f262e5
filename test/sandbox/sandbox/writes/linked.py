"""Linked transactions: a bill's line that a customer will pay for."""
from . import messages
from .books import line_by_id
from .handler import Handler

SOURCES = (("Invoices", "ACCPAY"), ("BankTransactions", "SPEND"))


class LinkedTransactions(Handler):
    def create(self, given):
        self.require(given, "SourceTransactionID", "SourceLineItemID")
        self.settle()
        record = {"LinkedTransactionID": self.books.new_id(self.spec), "Type": "BILLABLEEXPENSE"}
        return self._store(record, given)

    def change(self, link, given):
        if link["Status"] in ("BILLED", "VOIDED"):
            self.stop(messages.LINK_BILLED)
        return self._store(dict(link), given)

    def _store(self, record, given):
        record.update(given)
        source, code = self._source(record)
        if any(link["SourceLineItemID"] == record["SourceLineItemID"] and link["LinkedTransactionID"] !=
               record["LinkedTransactionID"] and link["Status"] != "VOIDED"
               for link in self.books.find(self.spec, "SourceTransactionID", record["SourceTransactionID"])):
            self.refuse(messages.LINK_TAKEN)
        if record.get("ContactID") and not self.books.get("Contacts", record["ContactID"]):
            self.refuse(messages.CONTACT_UNKNOWN)
        target = self._target(record)
        self.settle()
        record["SourceTransactionTypeCode"] = code
        if target:
            record["Status"] = "BILLED" if target["Status"] in ("AUTHORISED", "PAID") else "ONDRAFT"
        else:
            record["Status"] = "APPROVED" if source["Status"] in ("AUTHORISED", "PAID") else "DRAFT"
        return self.books.save(self.spec, record)

    def _source(self, record):
        for name, kind in SOURCES:
            source = self.books.get(name, record["SourceTransactionID"])
            if source and source["Type"] == kind and source["Status"] not in ("VOIDED", "DELETED") and \
                    line_by_id(source, record["SourceLineItemID"]):
                return source, kind
        self.stop(messages.LINK_SOURCE)

    def _target(self, record):
        if not record.get("TargetTransactionID"):
            return None
        target = self.books.get("Invoices", record["TargetTransactionID"])
        line = record.get("TargetLineItemID")
        if not target or target["Type"] != "ACCREC" or (line and not line_by_id(target, line)):
            self.stop(messages.LINK_TARGET)
        if record.get("ContactID", target["Contact"]["ContactID"]) != target["Contact"]["ContactID"]:
            self.refuse(messages.TARGET_CONTACT)
        return target

    def remove(self, link):
        if link["Status"] == "BILLED":
            self.stop(messages.LINK_BILLED)
        self.books.remove(self.spec, link["LinkedTransactionID"])
