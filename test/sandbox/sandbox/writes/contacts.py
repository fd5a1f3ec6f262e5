"""Contacts, by themselves and inside documents."""
import re

from ..objects import BANK_DETAILS
from . import messages
from .handler import Handler

EMAIL = re.compile(r"[!-?A-~]+@[!-\-/-?A-~]+(\.[!-\-/-?A-~]+)+")
MAX_PERSONS = 5
ADDRESS_TYPES = ("STREET", "POBOX")
PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")


class Contacts(Handler):
    def match(self, given):
        return self.by_number(given) or self.by_name(given)

    def by_number(self, given):
        number = given.get("ContactNumber")
        found = self.books.find("Contacts", "ContactNumber", number) if number else []
        return found[0] if found else None

    def by_name(self, given):
        """An active contact first: only those have names of their own."""
        found = self.books.find("Contacts", "Name", given["Name"]) if given.get("Name") else []
        active = [contact for contact in found if contact.get("ContactStatus") != "ARCHIVED"]
        return (active or found or [None])[0]

    def put(self, given):
        """A ContactNumber that is there is refused (docs), or means that contact
        (XeroAPI/xero-php-oauth2#191, a user whose PUT overwrote one)."""
        found = self.by_number(given) if self.books.has("put-overwrites-contacts") else None
        return self.update(found, given) if found else super().put(given)

    def create(self, given):
        self.require(given, "Name")
        if given.get("ContactStatus", "ACTIVE") != "ACTIVE":
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        record = {
            "ContactID": self.books.new_id("Contacts"), "ContactStatus": "ACTIVE",
            "Name": given.get("Name"), "EmailAddress": "", "BankAccountDetails": "",
            "Addresses": [{"AddressType": kind, "City": "", "Region": "", "PostalCode": "", "Country": ""}
                          for kind in ADDRESS_TYPES],
            "Phones": [{"PhoneType": kind, "PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
                       for kind in PHONE_TYPES],
            "IsSupplier": False, "IsCustomer": False, "ContactGroups": [], "ContactPersons": [],
            "SalesTrackingCategories": [], "PurchasesTrackingCategories": [], "HasAttachments": False,
            "HasValidationErrors": False}
        return self._store(record, given, None)

    def change(self, contact, given):
        if contact["ContactStatus"] == "GDPRREQUEST" or given.get("ContactStatus") == "GDPRREQUEST":
            self.stop(messages.GDPR)
        if contact.get("MergedToContactID") and self.books.has("merged-contacts-refused"):
            self.refuse(messages.CONTACT_MERGED, contact["ContactID"])
        if given.get("Name") == "":
            self.refuse(messages.REQUIRED, "Name")
        return self._store(dict(contact), given, contact)

    def _store(self, record, given, before):
        if "Name" in given and self.books.has("trimmed-names"):
            given = {**given, "Name": given["Name"].strip()}       # Pinelab-studio/pinelab-vendure-plugins#505
        self._check(record, given, before)
        self.settle()
        for name, value in given.items():
            if name == "ContactPersons":
                record[name] = self._persons(record, value)
            elif name == "Addresses":
                record[name] = self._by_type(record.get(name), value, "AddressType")
            elif name == "Phones":
                record[name] = self._by_type(record.get(name), value, "PhoneType")
            elif name in ("PaymentTerms", "BatchPayments"):
                record[name] = {**(record.get(name) or {}), **value}
            elif name == "BrandingTheme":
                theme = self.books.get("BrandingThemes", value["BrandingThemeID"])
                record[name] = {"BrandingThemeID": theme["BrandingThemeID"], "Name": theme["Name"]}
            else:
                record[name] = value
        if before and before["Name"] != record["Name"]:
            self._rename_in_groups(record)
        return self.books.save("Contacts", record)

    def _persons(self, record, given):
        """An empty list is ignored, a list of an empty person clears
        (XeroAPI/xero-node#560, calcinai/xero-php#63, waynerobinson/xeroizer PR#565)."""
        if given == [] and not self.books.has("empty-persons-clear"):
            return record.get("ContactPersons", [])
        return [person for person in given if any(person.values())]

    def _rename_in_groups(self, contact):
        """Groups keep the names of their members."""
        for one in contact.get("ContactGroups") or []:
            group = self.books.get("ContactGroups", one["ContactGroupID"])
            members = [{**member, "Name": contact["Name"]} if member["ContactID"] == contact["ContactID"] else member
                       for member in group["Contacts"]] if group else []
            if members:
                self.books.save("ContactGroups", {**group, "Contacts": members})

    def _check(self, record, given, before):
        self._check_names(record, given, before)
        if any(name in given for name in BANK_DETAILS) and (
                self.books.has("bank-details-absent") or self.books.has("bank-details-masked")):
            self.refuse(messages.BANK_DETAILS)
        if given.get("EmailAddress") and not EMAIL.fullmatch(given["EmailAddress"]):
            self.refuse(messages.EMAIL)
        persons = given.get("ContactPersons", [])
        if len(persons) > MAX_PERSONS:
            self.refuse(messages.TOO_MANY_PERSONS)
        if any(person.get("EmailAddress") and not EMAIL.fullmatch(person["EmailAddress"]) for person in persons):
            self.refuse(messages.EMAIL)
        currency = given.get("DefaultCurrency")
        if currency and not self.books.get("Currencies", currency):
            self.refuse(messages.BAD_CURRENCY, currency)
        for name in ("AccountsReceivableTaxType", "AccountsPayableTaxType"):
            if given.get(name) and not self.books.tax_rate(given[name]):
                self.refuse(messages.BAD_TAX, given[name])
        for name in ("SalesDefaultAccountCode", "PurchasesDefaultAccountCode"):
            if given.get(name) and not self.books.account({"Code": given[name]}):
                self.refuse(messages.BAD_ACCOUNT, given[name])
        theme = given.get("BrandingTheme")
        if theme is not None and not self.books.get("BrandingThemes", theme.get("BrandingThemeID")):
            self.refuse(messages.BAD_THEME, theme.get("BrandingThemeID"))

    def _check_names(self, record, given, before):
        """Names are unique among the active, numbers among all."""
        key = record["ContactID"]
        status = given.get("ContactStatus", record["ContactStatus"])
        renamed = given.get("Name", before and before["Name"]) != (before and before["Name"])
        revived = before and before["ContactStatus"] == "ARCHIVED" and status == "ACTIVE"
        name = given.get("Name") or record["Name"]
        if name and status == "ACTIVE" and (renamed or revived) and self.taken(
                "Name", name, key, lambda contact: contact.get("ContactStatus") == "ACTIVE"):
            self.refuse(messages.CONTACT_NAME_TAKEN, name)
        if renamed and re.search("[<>]|  ", name):                # docs
            self.refuse(messages.CONTACT_NAME)
        number = given.get("ContactNumber")
        if number and self.taken("ContactNumber", number, key):
            self.refuse(messages.CONTACT_NUMBER_TAKEN, number)
        account = given.get("AccountNumber")
        if account and self.taken("AccountNumber", account, key):
            self.refuse(messages.ACCOUNT_NUMBER_TAKEN)

    @staticmethod
    def _by_type(old, new, type_name):
        """One element a type: the given ones replace, the others stay."""
        parts = {part.get(type_name): part for part in old or []}
        for part in new:
            kind = part.get(type_name) or ("DEFAULT" if type_name == "PhoneType" else "POBOX")
            parts[kind] = {**({name: "" for name in ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")}
                              if type_name == "PhoneType" else {}), **part, type_name: kind}
        return list(parts.values())


class NestedContact:
    """The contact of a document.

    An id by itself is a reference.  Any other member EDITS the contact, and its
    contact persons are then those given, none if none are.  A name that matches
    nobody creates a contact, except where `existing` only will do.
    """

    def __init__(self, handler, existing=False):
        self.handler = handler
        self.books = handler.books
        self.existing = existing
        self.contacts = Contacts(handler.books, handler.books.spec("Contacts"), handler.call)

    def resolve(self, given, creating):
        """The contact as the document shows it, or None with reasons noted."""
        contact = self._find(given)
        if contact is None and given.get("Name") and not given.get("ContactID") and not self.existing:
            contact = self.contacts.create(given)
        elif contact is None:
            self.handler.refuse(messages.BAD_CONTACT if not given.get("ContactNumber") else messages.CONTACT_UNKNOWN)
            return None
        elif creating and contact["ContactStatus"] == "ARCHIVED":
            self.handler.refuse(messages.CONTACT_ARCHIVED, contact["ContactID"])
            return None
        else:
            contact = self._edit(contact, given)
        return self.books.contact_reference(contact)

    def _find(self, given):
        if given.get("ContactID"):
            return self.books.get("Contacts", given["ContactID"])
        return self.contacts.by_number(given) or (None if self.existing else self.contacts.by_name(given))

    def _edit(self, contact, given):
        edits = {name: value for name, value in given.items()
                 if name not in ("ContactID", "ContactPersons") and contact.get(name) != value}
        others = set(given) - {"ContactID"}
        if given.get("ContactID"):
            edited = bool(others)
        else:                                               # what it was found by is no edit
            edited = bool(others - {"ContactNumber", "Name"}) or bool(edits)
        if not edited:
            return contact
        return self.contacts.update(contact, {**edits, "ContactPersons": given.get("ContactPersons") or [{}]})
