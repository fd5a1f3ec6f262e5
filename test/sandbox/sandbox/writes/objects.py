"""Object -> its handler, verbs, and how many elements a request may hold."""
from .allocations import Credits
from .banking import BankTransactions, BankTransfers
from .claims import ExpenseClaims, Receipts
from .contacts import Contacts
from .groups import ContactGroups
from .invoices import CreditNotes, Invoices
from .items import Items
from .journals import ManualJournals
from .linked import LinkedTransactions
from .orders import PurchaseOrders, Quotes, RepeatingInvoices
from .payments import BatchPayments, Payments
from .settings import Accounts, Currencies, TaxRates
from .tracking import TrackingCategories

USUAL_BATCH = 50
ITEMS_BATCH = 500


class Writable:
    """`statuses`: the verbs on the collection that know summarizeErrors;
    `bare`: an element needs no wrapper there; `one_by_post`: POST takes so many
    elements; `first_only`: the others are ignored; `parts`: (verb, name below a
    record) -> method of the handler."""

    def __init__(self, handler, collection="", own="", *, statuses="", batch=USUAL_BATCH, bare=False, one_by_post=None,
                 first_only=False, parts=None):
        self.handler = handler
        self.collection = collection.split()
        self.own = own.split()
        self.statuses = statuses.split()
        self.batch = batch
        self.bare = bare
        self.one_by_post = one_by_post
        self.first_only = first_only
        self.parts = parts or {}


BOTH = "PUT POST"
ALLOCATIONS = {("PUT", "allocations"): "allocate", ("DELETE", "allocations"): "release"}
WRITABLE = {
    "Accounts": Writable(Accounts, "PUT", "POST DELETE", batch=1, bare=True),
    "BankTransactions": Writable(BankTransactions, BOTH, "POST", statuses=BOTH),
    "BankTransfers": Writable(BankTransfers, BOTH, "POST", statuses="POST"),
    "BatchPayments": Writable(BatchPayments, BOTH, "POST", statuses="PUT", bare=True, one_by_post=1),
    "Contacts": Writable(Contacts, BOTH, "POST", statuses=BOTH),
    "ContactGroups": Writable(ContactGroups, "PUT", "POST", parts={
        ("PUT", "contacts"): "add", ("DELETE", "contacts"): "take_out"}),
    "CreditNotes": Writable(CreditNotes, BOTH, "POST", statuses=BOTH, parts=ALLOCATIONS),
    "Currencies": Writable(Currencies, "PUT", batch=1, bare=True),
    "ExpenseClaims": Writable(ExpenseClaims, "PUT", "POST"),
    "Invoices": Writable(Invoices, BOTH, "POST", statuses=BOTH),
    "Items": Writable(Items, BOTH, "POST DELETE", statuses=BOTH, batch=ITEMS_BATCH),
    "LinkedTransactions": Writable(LinkedTransactions, "PUT", "POST DELETE", batch=1, bare=True),
    "ManualJournals": Writable(ManualJournals, BOTH, "POST", statuses=BOTH),
    "Overpayments": Writable(Credits, parts=ALLOCATIONS),
    "Payments": Writable(Payments, BOTH, "POST", statuses="PUT", bare=True, one_by_post=1),
    "Prepayments": Writable(Credits, parts=ALLOCATIONS),
    "PurchaseOrders": Writable(PurchaseOrders, BOTH, "POST", statuses=BOTH),
    "Quotes": Writable(Quotes, BOTH, "POST", statuses=BOTH),
    "Receipts": Writable(Receipts, "PUT", "POST"),
    "RepeatingInvoices": Writable(RepeatingInvoices, BOTH, "POST", statuses=BOTH),
    "TaxRates": Writable(TaxRates, BOTH, first_only=True),
    "TrackingCategories": Writable(TrackingCategories, "PUT", "POST DELETE", batch=1, bare=True, parts={
        ("PUT", "options"): "add_option", ("POST", "options"): "change_option",
        ("DELETE", "options"): "remove_option"}),
}
