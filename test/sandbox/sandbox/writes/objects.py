"""Object -> its handler, verbs, and how many elements a request may hold."""
from .contacts import Contacts
from .invoices import CreditNotes, Invoices
from .items import Items
from .payments import BatchPayments, Payments
from .settings import Accounts, Currencies, TaxRates

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
WRITABLE = {
    "Accounts": Writable(Accounts, "PUT", "POST DELETE", batch=1, bare=True),
    "BatchPayments": Writable(BatchPayments, BOTH, "POST", statuses="PUT", bare=True, one_by_post=1),
    "Contacts": Writable(Contacts, BOTH, "POST", statuses=BOTH),
    "CreditNotes": Writable(CreditNotes, BOTH, "POST", statuses=BOTH),
    "Currencies": Writable(Currencies, "PUT", batch=1, bare=True),
    "Invoices": Writable(Invoices, BOTH, "POST", statuses=BOTH),
    "Items": Writable(Items, BOTH, "POST DELETE", statuses=BOTH, batch=ITEMS_BATCH),
    "Payments": Writable(Payments, BOTH, "POST", statuses="PUT", bare=True, one_by_post=1),
    "TaxRates": Writable(TaxRates, BOTH, first_only=True),
}
