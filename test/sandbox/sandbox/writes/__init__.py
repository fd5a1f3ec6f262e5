"""Writes: PUT, POST and DELETE, as Xero carries them out.

One request goes through these, in this order:
    writer       path and method -> what to do; the answer
    idempotency  an Idempotency-Key seen before: the answer it got
    body         bytes -> elements, or 400 for what is no JSON
    fields       which members can be written; an element with typed leaves
    batch        the elements one by one; what failed, in either form
    objects      object -> its handler, verbs and batch size
    books        one organisation as a handler sees it: look up, save, undo
and each family of objects is a handler: contacts, documents, payments, …
What handlers share: statuses (which may follow which), lines, totals,
settlement (payments and credits against a document), messages.

A handler validates an element, saves what came of it, or raises Refused; what
a refused element had saved is undone.
"""
from .quirks import QUIRKS as WRITE_QUIRKS
from .writer import Writer

__all__ = ["WRITE_QUIRKS", "Writer"]
