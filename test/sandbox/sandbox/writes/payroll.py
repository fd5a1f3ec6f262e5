"""Payroll employees.

AU: POST of a bare array, to create (no EmployeeID) or update; errors as in the
Accounting API.  UK and NZ: POST creates and PUT updates one object; an error is
an envelope with a `problem`.  In the specification's samples, NZ answers without
the title that it was sent.
"""
import json

from .. import render
from ..answer import JSON, Answer
from ..errors import ApiError, not_found, not_implemented, validation
from ..objects import EMPLOYEES_AU
from ..values import Iso, iso_seconds
from . import body, messages
from .batch import carry_out
from .books import Refused
from .handler import Handler

AU_BATCH = 50
REQUIRED = {"AU": ("FirstName", "LastName", "DateOfBirth"), "NZ": ("firstName", "lastName", "dateOfBirth", "address"),
            "UK": ("title", "firstName", "lastName", "dateOfBirth", "gender", "address")}
ADDRESS = ("addressLine1", "city", "postCode")
TYPES = {"UK": "UkEmployee", "NZ": "NzEmployee"}


def answer(visit, rest):
    """The answer to a write below …/Employees."""
    spec, method = visit.spec, visit.call.method
    record = None
    if len(rest) == 1:
        record = visit.books.get(spec, rest[0])
        if record is None:
            raise not_found()
    if len(rest) > 1 or method == "DELETE":
        raise not_implemented()
    if spec is EMPLOYEES_AU:
        if method != "POST":
            raise not_implemented()
        return _australian(visit, record)
    if method != ("PUT" if record else "POST"):
        raise not_implemented()
    return _one(visit, record)


class Employees(Handler):
    label = "Employee"

    def __init__(self, visit):
        super().__init__(visit.books, visit.spec, visit.call)
        self.country = visit.books.org.country

    def create(self, given):
        self.require(given, *REQUIRED[self.country])
        self._address(given)
        if given.get("Status", "ACTIVE") != "ACTIVE":
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self.settle()
        record = {self.spec.key: self.books.new_id(self.spec)}
        if self.country == "AU":
            record["Status"] = "ACTIVE"
        else:
            record["createdDateUTC"] = Iso(iso_seconds(self.books.now))
        return self.books.save(self.spec, {**record, **given})

    def change(self, employee, given):
        if self.country == "AU":
            for name in REQUIRED["AU"]:
                if given.get(name) == "":
                    self.refuse(messages.REQUIRED, name)
        else:                                   # PUT: as complete as a new one
            self.require(given, *REQUIRED[self.country])
        self._address(given)
        self.settle()
        return self.books.save(self.spec, {**employee, **given})

    def _address(self, given):
        if given.get("address"):
            self.require(given["address"], *ADDRESS)
        if given.get("HomeAddress"):
            self.require(given["HomeAddress"], "AddressLine1")


def _australian(visit, record):
    raw = body.array(body.parse(visit.call), "Employee")
    if len(raw) > (1 if record else AU_BATCH):
        raise validation(f"A request can hold at most {1 if record else AU_BATCH} elements for this endpoint")
    employees = Employees(visit)
    tasks = []
    for given, complaints in [visit.reader.element("PayrollEmployee", element) for element in raw]:
        if record:
            if given.get("EmployeeID", record["EmployeeID"]) != record["EmployeeID"]:
                complaints.append(messages.WRONG_ID)
            given["EmployeeID"] = record["EmployeeID"]
        tasks.append((lambda given=given: employees.post(given), given, complaints))
    outcomes = carry_out(visit.books, tasks, "failed-batch-writes-nothing" in visit.books.options.quirks)
    return visit.answers.batch(outcomes, True)


def _one(visit, record):
    try:
        given, complaints = visit.reader.element(TYPES[visit.books.org.country], body.parse(visit.call))
    except ApiError as error:
        if error.status != 400:
            raise
        return _enveloped(visit, 400, None, [json.loads(error.body)["Message"]])
    employees = Employees(visit)
    try:
        if complaints:
            raise Refused(*complaints)
        if record and given.get("employeeID", record["employeeID"]) != record["employeeID"]:
            raise Refused(messages.WRONG_ID)
        stored = employees.update(record, given) if record else employees.put(given)
    except Refused as refused:
        visit.books.undo(0)
        if visit.books.has("payroll-problems-in-200"):
            return _enveloped(visit, 200, record, refused.reasons)
        return _enveloped(visit, 400, None, refused.reasons)
    if visit.books.org.country == "NZ":
        stored = {name: value for name, value in stored.items() if name != "title"}
    return _enveloped(visit, 200, stored, [])


def _enveloped(visit, status, employee, reasons):
    problem = reasons and {
        "type": "application/problem+json", "title": "BadRequest", "status": 400,
        "detail": "Validation error occurred.", "instance": None,
        "invalidFields": [{"name": reason.split(" ")[0], "reason": reason} for reason in reasons]} or None
    members = {"id": visit.answers.envelope["Id"], "providerName": "xero_fdw sandbox",
               "dateTimeUTC": Iso(iso_seconds(visit.books.now) + ".8608520"),
               "httpStatusCode": "BadRequest" if problem else "OK", "pagination": None, "problem": problem,
               "employee": employee}
    return Answer(status, render.to_bytes(render.PLAIN.object(members, 0) + "\r\n"), JSON)
