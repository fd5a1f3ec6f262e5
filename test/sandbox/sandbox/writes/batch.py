"""The elements of a request, one after the other, and their answer.

Valid elements are stored although others fail: with summarizeErrors=false the
answer is a 200 that tells each element's fate, else a 400 that tells of the
failed ones only.
"""
from .. import render
from ..answer import JSON, Answer
from ..values import Iso
from .books import Refused

ZERO_ID = "00000000-0000-0000-0000-000000000000"
# What a failed element says of itself beside its ValidationErrors.  Failed
# batch payments say that nothing is wrong.
FLAGS = {"Invoices": ("HasErrors", True), "CreditNotes": ("HasErrors", True), "Contacts": ("HasValidationErrors", True),
         "Payments": ("HasValidationErrors", True), "ContactGroups": ("HasValidationErrors", True),
         "BatchPayments": ("HasValidationErrors", False)}
PARTS_WITH_ERRORS = ("Addresses", "Phones")     # echoed with an (empty) ValidationErrors of their own


class Outcome:
    """What became of one element: a record, or reasons and what was sent."""

    def __init__(self, record=None, warnings=(), reasons=(), echo=None):
        self.record = record
        self.warnings = warnings
        self.reasons = reasons
        self.echo = echo


def carry_out(books, tasks, all_or_nothing=False):
    """tasks: [(function, echo, complaints of the reader)] -> outcomes."""
    outcomes = []
    start = books.mark()
    for task, echo, complaints in tasks:
        mark = books.mark()
        books.warnings = []
        try:
            if complaints:
                raise Refused(*complaints)
            outcomes.append(Outcome(task(), books.warnings))
        except Refused as refused:
            books.undo(mark)
            outcomes.append(Outcome(reasons=refused.reasons, echo=echo))
        except Exception:                       # a bug, or a record that a test loaded in part
            books.undo(mark)
            raise
    if all_or_nothing and any(outcome.reasons for outcome in outcomes):
        books.undo(start)
    return outcomes


def messages(texts, word="Message"):
    return [{word: text} for text in texts]


def failed(spec, outcome, quirks=()):
    """A failed element as answers echo it.  Live answers have a place for
    reasons at each line, too; and docs show both Message and Description."""
    word = "Description" if "reasons-as-descriptions" in quirks else "Message"
    echo = {name: value for name, value in outcome.echo.items() if name != spec.key}
    for name in PARTS_WITH_ERRORS:
        if name in echo:
            echo[name] = [{**part, "ValidationErrors": []} for part in echo[name]]
    flag = dict([FLAGS[spec.name]]) if spec.name in FLAGS else {}
    reasons = outcome.reasons
    if "reasons-at-lines" in quirks and echo.get("LineItems"):
        of_line = [[reason for reason in reasons if getattr(reason, "line", None) == n] for n in range(len(echo["LineItems"]))]
        echo["LineItems"] = [{**line, "ValidationErrors": messages(own, word)} for line, own in zip(echo["LineItems"], of_line)]
        reasons = [reason for reason in reasons if not any(reason in own for own in of_line)]
    return {spec.key: outcome.echo.get(spec.key) or ZERO_ID, **echo, **flag, "ValidationErrors": messages(reasons, word)}


def statuses(spec, outcome, quirks):
    """An element of an answer to summarizeErrors=false."""
    if not outcome.reasons:
        word = "WARNING" if outcome.warnings else "OK"
        return {**shown(spec, outcome, quirks), "StatusAttributeString": word}
    element = failed(spec, outcome, quirks)
    if spec.name != "BatchPayments":
        element["StatusAttributeString"] = "ERROR"
    return element


def shown(spec, outcome, quirks):
    """A stored element, in the shape of a single GET."""
    record = spec.forms["single"].show(outcome.record, quirks)
    return {**record, "Warnings": messages(outcome.warnings)} if outcome.warnings else record


class Answers:
    """Bodies of answers to one call."""

    def __init__(self, org, spec, call, now, quirks=()):
        self.org = org
        self.quirks = quirks
        self.spec = spec
        self.call = call
        self.envelope = {"Id": org.envelope_id(f"{call.method} {call.path} {now}"), "Status": "OK",
                         "ProviderName": "xero_fdw sandbox", "DateTimeUTC": Iso(f"/Date({now})/")}

    def batch(self, outcomes, summarise):
        bad = [outcome for outcome in outcomes if outcome.reasons]
        if bad and summarise:
            return self.exception([failed(self.spec, outcome, self.quirks) for outcome in bad])
        one = shown if summarise else statuses
        return self.elements(self.spec.wrapper, [one(self.spec, outcome, self.quirks) for outcome in outcomes])

    def elements(self, wrapper, records):
        if not self.call.wants_json:
            return Answer(200, render.xml("Response", {**self.envelope, wrapper: records}),
                          "application/xml; charset=utf-8")
        unitdp4 = self.spec.four_decimals(self.call.params)
        texts = [render.variant_of(str(record.get(self.spec.key)), unitdp4).record(record) for record in records]
        return Answer(200, render.body(self.envelope, wrapper, texts), JSON)

    def exception(self, records):
        head = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred"}
        return Answer(400, render.body(head, "Elements", [render.PLAIN.record(record) for record in records]), JSON)

    @staticmethod
    def bare(record):
        return Answer(200, render.to_bytes(render.PLAIN.object(record, 0) + "\r\n"), JSON)
