"""Status machines: what a record can be created as, and what may follow what.

A status that is missing on the left, or has nothing on the right, is final: the
record cannot be changed at all.  A status may always stay as it is.
"""


class Machine:
    def __init__(self, first, moves, usual=None):
        self.first = first.split()
        self.usual = usual or self.first[0]
        self.moves = {status: then.split() for status, then in moves.items()}

    def final(self, status):
        return not self.moves.get(status)

    def may(self, before, after):
        return before == after or after in self.moves.get(before, ())


DOCUMENT = Machine("DRAFT SUBMITTED AUTHORISED", {
    "DRAFT": "SUBMITTED AUTHORISED DELETED", "SUBMITTED": "AUTHORISED DRAFT DELETED", "AUTHORISED": "VOIDED",
    "PAID": "PAID"})
DELETABLE = Machine("AUTHORISED", {"AUTHORISED": "DELETED"})
MACHINES = {
    "Invoice": DOCUMENT, "CreditNote": DOCUMENT,
    "PurchaseOrder": Machine("DRAFT SUBMITTED AUTHORISED BILLED", {
        "DRAFT": "SUBMITTED AUTHORISED DELETED", "SUBMITTED": "DRAFT AUTHORISED DELETED",
        "AUTHORISED": "BILLED DELETED", "BILLED": "DELETED"}),
    "Quote": Machine("DRAFT SENT", {
        "DRAFT": "SENT DELETED", "SENT": "ACCEPTED DECLINED DELETED", "ACCEPTED": "INVOICED SENT DELETED",
        "DECLINED": "SENT DELETED", "INVOICED": "SENT DELETED"}),
    "BankTransaction": DELETABLE, "BankTransfer": DELETABLE, "Payment": DELETABLE, "BatchPayment": DELETABLE,
    "ManualJournal": Machine("DRAFT POSTED", {"DRAFT": "POSTED DELETED", "POSTED": "VOIDED"}),
    "RepeatingInvoice": Machine("DRAFT AUTHORISED", {"DRAFT": "DELETED", "AUTHORISED": "DELETED"}),
    "Receipt": Machine("DRAFT", {"DRAFT": "SUBMITTED VOIDED", "SUBMITTED": "DRAFT AUTHORISED DECLINED VOIDED",
                                 "DECLINED": "DRAFT VOIDED", "AUTHORISED": "VOIDED"}),
    "ExpenseClaim": Machine("SUBMITTED", {"SUBMITTED": "AUTHORISED VOIDED DELETED", "AUTHORISED": "VOIDED"}),
    "ContactGroup": Machine("ACTIVE", {"ACTIVE": "DELETED"}),
    "TaxRate": Machine("ACTIVE", {"ACTIVE": "DELETED ARCHIVED", "ARCHIVED": "ACTIVE DELETED"}),
    "TrackingCategory": Machine("ACTIVE", {"ACTIVE": "ARCHIVED", "ARCHIVED": "ACTIVE"}),
    "Account": Machine("ACTIVE", {"ACTIVE": "ARCHIVED", "ARCHIVED": "ACTIVE"}),
    "LinkedTransaction": Machine("DRAFT APPROVED ONDRAFT BILLED", {"DRAFT": "DRAFT", "APPROVED": "APPROVED",
                                                                    "ONDRAFT": "ONDRAFT"}),
}
