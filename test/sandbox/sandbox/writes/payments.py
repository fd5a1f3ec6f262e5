"""Payments on invoices and credits, one by one and in batches.

A payment is never changed, only deleted; one in a batch goes with its batch.
"""
from decimal import Decimal

from ..values import Number
from . import messages
from .handler import Handler
from .rounding import amount, cents
from .settlement import invoice_stub, rebalance

# member that names the target -> (object, key, its number), and the payment's
# type for a customer's document and a supplier's
TARGETS = {"Invoice": ("Invoices", "InvoiceID", "InvoiceNumber", ("ACCRECPAYMENT", "ACCPAYPAYMENT")),
           "CreditNote": ("CreditNotes", "CreditNoteID", "CreditNoteNumber", ("ARCREDITPAYMENT", "APCREDITPAYMENT")),
           "Prepayment": ("Prepayments", "PrepaymentID", None, ("ARPREPAYMENTPAYMENT", "APPREPAYMENTPAYMENT")),
           "Overpayment": ("Overpayments", "OverpaymentID", None, ("AROVERPAYMENTPAYMENT", "APOVERPAYMENTPAYMENT"))}
CUSTOMER = ("ACCREC", "ACCRECCREDIT", "RECEIVE-PREPAYMENT", "RECEIVE-OVERPAYMENT", "ARPREPAYMENT", "AROVERPAYMENT")


class Payments(Handler):
    def create(self, given):
        member, target = self.target(given)
        self.require(given, "Date", "Amount")
        if not given.get("Account") and not given.get("Code"):
            self.refuse(messages.REQUIRED, "Account")
        if given.get("Status", "AUTHORISED") != "AUTHORISED":
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self.settle()
        account = self.books.account(given.get("Account") or {"Code": given["Code"]})
        self.check(given, target, account)
        self.settle()
        return self.pay(member, target, account, given)

    def target(self, given):
        """(member, the document it names)."""
        named = [member for member in TARGETS if given.get(member)]
        if given.get("InvoiceNumber") and "Invoice" not in named:
            named.append("Invoice")
        if given.get("CreditNoteNumber") and "CreditNote" not in named:
            named.append("CreditNote")
        if len(named) != 1:
            self.stop(messages.PAYMENT_TARGET)
        member = named[0]
        name, key, number, _ = TARGETS[member]
        words = given.get(member) or {}
        if words.get(key):
            target = self.books.get(name, words[key])
        else:
            text = words.get(number) or given.get(number)
            found = [record for record in self.books.find(name, number, text)
                     if record["Status"] not in ("VOIDED", "DELETED")] if text else []
            target = found[0] if found else None
        if not target:
            self.stop(messages.PAYMENT_TARGET_UNKNOWN, member)
        return member, target

    def check(self, given, target, account):
        if target["Status"] not in ("AUTHORISED", "PAID"):
            self.refuse(messages.NOT_PAYABLE)
        left = amount(target, "AmountDue" if "InvoiceID" in target else "RemainingCredit")
        if Decimal(given["Amount"]) <= 0:
            self.refuse(messages.NOT_POSITIVE)
        elif Decimal(given["Amount"]) > left:
            self.refuse(messages.OVERPAID)
        if not account or account["Status"] != "ACTIVE" or not (account["Type"] == "BANK"
                                                                or account.get("EnablePaymentsToAccount")):
            self.refuse(messages.PAYMENT_ACCOUNT)
        elif self.account_currency(account) not in (self.books.base_currency(), target["CurrencyCode"]):
            self.refuse(messages.PAYMENT_CURRENCY)
        self.in_open_period(given["Date"])

    def account_currency(self, account):
        return account.get("CurrencyCode") or self.books.base_currency()

    def pay(self, member, target, account, given, batch=None):
        """Store a checked payment, and its trace in the document."""
        name, key, number, types = TARGETS[member]
        rate = given.get("CurrencyRate") or target.get("CurrencyRate") or Number("1.0000000000")
        foreign = self.account_currency(account) != target["CurrencyCode"]
        bank = Number(cents(Decimal(given["Amount"]) / Decimal(rate))) if foreign else given["Amount"]
        payment = {
            "PaymentID": self.books.new_id("Payments"), "Date": given["Date"], "BankAmount": bank,
            "Amount": given["Amount"], "Reference": given.get("Reference", ""), "CurrencyRate": rate,
            "PaymentType": types[target["Type"] not in CUSTOMER], "Status": "AUTHORISED", "HasAccount": True,
            "IsReconciled": given.get("IsReconciled", False), "Account": self.books.account_reference(account),
            "HasValidationErrors": False}
        payment.update({word: given[word] for word in ("BankAccountNumber", "Particulars", "Details", "Code")
                        if word in given})
        if member == "Invoice":
            payment.update(Invoice=invoice_stub(target), InvoiceNumber=target.get("InvoiceNumber"))
        elif member == "CreditNote":                        # shown as if it were an invoice
            payment["Invoice"] = {"Type": target["Type"], "InvoiceID": target[key], "InvoiceNumber":
                                  target.get(number), "Payments": [], "Contact": target["Contact"], "LineItems": []}
            payment["CreditNoteNumber"] = target.get(number)
            payment["CreditNote"] = {key: target[key], number: target.get(number)}
        else:
            payment[member] = {key: target[key], "Type": target["Type"], "LineItems": []}
        if batch:
            payment.update(BatchPaymentID=batch["BatchPaymentID"], BatchPayment=batch)
        self.books.save("Payments", payment)
        nested = {"PaymentID": payment["PaymentID"], "Date": given["Date"], "Amount": given["Amount"],
                  "Reference": payment["Reference"], "CurrencyRate": rate, "HasAccount": True,
                  "HasValidationErrors": False}
        self._record(name, target, target.get("Payments", []) + [nested], given["Date"])
        return payment

    def _record(self, name, target, payments, on):
        target = rebalance({**target, "Payments": payments}, on)
        self.books.save(name, target)

    # deleting ------------------------------------------------------------

    def change(self, payment, given):
        if given.get("Status") != "DELETED" or set(given) - {"PaymentID", "Status"}:
            self.stop(messages.PAYMENT_FIXED)
        if payment["Status"] == "DELETED":
            self.stop(messages.PAYMENT_DELETED)
        if payment.get("BatchPaymentID"):
            self.stop(messages.PAYMENT_BATCHED)
        self.in_open_period(payment["Date"])
        self.settle()
        return self.undo_payment(payment)

    def undo_payment(self, payment):
        """Mark a payment as deleted and take it out of its document."""
        for name, target in self._payees(payment):
            rest = [part for part in target.get("Payments", []) if part["PaymentID"] != payment["PaymentID"]]
            self._record(name, target, rest, payment["Date"])
        return self.books.save("Payments", {**payment, "Status": "DELETED"})

    def _payees(self, payment):
        """The document that was paid; refunds of credit notes name both."""
        for member in ("CreditNote", "Prepayment", "Overpayment", "Invoice"):
            name, key, _, _ = TARGETS[member]
            target = self.books.get(name, payment.get(member, {}).get(key))
            if target:
                return [(name, target)]
        return []


class BatchPayments(Handler):
    def create(self, given):
        self.require(given, "Account", "Date", "Payments")
        if given.get("Status", "AUTHORISED") != "AUTHORISED":
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self.settle()
        account = self.books.account(given["Account"])
        if not account or account["Type"] != "BANK" or account["Status"] != "ACTIVE":
            self.stop(messages.PAYMENT_ACCOUNT)
        batch = {"BatchPaymentID": self.books.new_id("BatchPayments"), "Account": {
            "AccountID": account["AccountID"], "CurrencyCode": account.get("CurrencyCode")}, "Status": "AUTHORISED",
            "IsReconciled": False,
            **{name: value for name, value in given.items() if name not in ("Account", "Payments")}}
        payments = Payments(self.books, self.books.spec("Payments"), self.call)
        paid, kinds, total = [], set(), 0
        for part in given["Payments"]:
            part = {**part, "Date": given["Date"], "Account": given["Account"]}
            member, target = payments.target(part)
            payments.require(part, "Amount")
            payments.settle()
            payments.check(part, target, account)
            payments.settle()
            kinds.add((target["Type"], target["CurrencyCode"]))
            payment = payments.pay(member, target, account, part, {
                "BatchPaymentID": batch["BatchPaymentID"], "Account": batch["Account"], "Status": "AUTHORISED",
                "Date": given["Date"]})
            total += Decimal(payment["Amount"])
            paid.append({"Invoice": {"InvoiceID": payment.get("Invoice", {}).get("InvoiceID"), "CurrencyCode":
                                     target["CurrencyCode"], "LineItems": []}, "PaymentID": payment["PaymentID"],
                         "Amount": payment["Amount"], "BankAmount": payment["BankAmount"]})
        if len(kinds) != 1:
            self.stop(messages.BATCH_MIXED)
        batch.update(Payments=paid, TotalAmount=Number(cents(total)), Amount=Number(cents(total)),
                     Type="RECBATCH" if kinds.pop()[0] in CUSTOMER else "PAYBATCH")
        return self.books.save("BatchPayments", batch)

    def change(self, batch, given):
        if given.get("Status") != "DELETED":
            self.stop(messages.ONLY_DELETE, "A batch payment")
        if batch["Status"] == "DELETED":
            self.stop(messages.NOT_MODIFIABLE, self.label)
        self.in_open_period(batch["Date"])
        self.settle()
        payments = Payments(self.books, self.books.spec("Payments"), self.call)
        for part in batch["Payments"]:
            payment = self.books.get("Payments", part["PaymentID"])
            if payment and payment["Status"] != "DELETED":
                payments.undo_payment(payment)
        return self.books.save("BatchPayments", {**batch, "Status": "DELETED"})

    def post(self, given):
        """POST on the collection deletes, it never creates."""
        if not given.get("BatchPaymentID"):
            self.stop(messages.REQUIRED, "BatchPaymentID")
        return super().post(given)
