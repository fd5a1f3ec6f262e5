"""The kinds of things that are synced: their tables here, their records at Xero,
and the values that people give them."""
from kinds.contacts import ByEmail, Contacts
from kinds.employees import Employees
from kinds.invoices import Invoices
from kinds.items import Items
from kinds.payments import Payments

KINDS = {Contacts: 4, ByEmail: 2, Items: 2, Employees: 2, Invoices: 3, Payments: 2}       # and how often each is played
