"""Contact groups and who is in them; both sides keep the membership."""
from ..answer import Answer
from . import messages
from .handler import Handler
from .statuses import MACHINES

MAX_GROUPS = 100


class ContactGroups(Handler):
    def create(self, given):
        self.require(given, "Name")
        active = [group for group in self.books.records(self.spec) if group["Status"] == "ACTIVE"]
        if len(active) >= MAX_GROUPS:
            self.refuse(messages.TOO_MANY_GROUPS)
        self._unique(given, None)
        self.settle()
        return self.books.save(self.spec, {
            "ContactGroupID": self.books.new_id(self.spec), "Name": given["Name"], "Status": "ACTIVE", "Contacts": [],
            "HasValidationErrors": False})

    def change(self, group, given):
        after = given.get("Status", group["Status"])
        if MACHINES["ContactGroup"].final(group["Status"]):
            self.stop(messages.NOT_MODIFIABLE, self.label)
        self._unique(given, group)
        self.settle()
        changed = self.books.save(self.spec, {**group, **given})
        if (after, changed["Name"]) != (group["Status"], group["Name"]):
            for member in group["Contacts"]:
                self._show_in(member["ContactID"], changed, after == "ACTIVE")
        return changed

    def _unique(self, given, before):
        name = given.get("Name")
        if name and self.taken("Name", name, before and before["ContactGroupID"], lambda g: g["Status"] == "ACTIVE"):
            self.refuse(messages.UNIQUE, "Contact group", name)
        if name == "":
            self.refuse(messages.REQUIRED, "Name")

    def _show_in(self, contact_id, group, inside):
        """Membership as the contact has it; that moves no clock."""
        contact = self.books.get("Contacts", contact_id)
        if not contact:
            return
        groups = [one for one in contact.get("ContactGroups", []) if one["ContactGroupID"] != group["ContactGroupID"]]
        if inside:
            groups.append({name: group[name] for name in ("ContactGroupID", "Name", "Status")})
        self.books.save("Contacts", {**contact, "ContactGroups": groups}, bump=False)

    # members -------------------------------------------------------------

    def add(self, visit, group, rest):
        """PUT …/{id}/Contacts: members are added, none removed."""
        if rest:
            visit.unknown()
        tasks = [(lambda given=given: self._add(group["ContactGroupID"], given), given, complaints)
                 for given, complaints in visit.elements("Contacts", "Contact")]
        return visit.carry_out(tasks, self.books.spec("Contacts"))

    def _add(self, key, given):
        self.reasons = []
        group = self.books.get(self.spec, key)
        contact = self.books.get("Contacts", given.get("ContactID"))
        if not contact:
            self.stop(messages.CONTACT_UNKNOWN)
        if group["Status"] != "ACTIVE":
            self.stop(messages.NOT_MODIFIABLE, self.label)
        if contact["ContactStatus"] == "ARCHIVED":
            self.stop(messages.GROUP_ARCHIVED)
        member = {"ContactID": contact["ContactID"], "Name": contact["Name"]}
        if member["ContactID"] not in [one["ContactID"] for one in group["Contacts"]]:
            self.books.save(self.spec, {**group, "Contacts": group["Contacts"] + [member]})
            self._show_in(contact["ContactID"], group, True)
        return member

    def take_out(self, visit, group, rest):
        """DELETE …/{id}/Contacts, or one of them."""
        gone = [one for one in group["Contacts"] if rest in ([], [one["ContactID"]])]
        if rest and not gone:
            visit.unknown()
        self.books.save(self.spec, {**group, "Contacts": [one for one in group["Contacts"] if one not in gone]})
        for one in gone:
            self._show_in(one["ContactID"], group, False)
        return Answer(204, b"")
