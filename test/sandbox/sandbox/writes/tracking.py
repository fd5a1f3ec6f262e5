"""Tracking categories and their options."""
from ..errors import post_data_invalid
from . import messages
from .handler import Handler
from .statuses import MACHINES

MAX_ACTIVE = 2
MAX_CATEGORIES = 4
MACHINE = MACHINES["TrackingCategory"]


class TrackingCategories(Handler):
    def create(self, given):
        self.require(given, "Name")
        if given.get("Status", "ACTIVE") != "ACTIVE":
            self.refuse(messages.STATUS_ON_CREATE, self.label)
        self._check(given, None)
        if len(self.books.records(self.spec)) >= MAX_CATEGORIES:     # docs
            self.refuse(messages.FOUR_CATEGORIES)
        self.settle()
        key = self.books.new_id(self.spec)
        options = [self._option(key, option["Name"]) for option in given.get("Options", []) if option.get("Name")]
        return self.books.save(self.spec, {"TrackingCategoryID": key, "Name": given["Name"], "Status": "ACTIVE",
                                           "Options": options})

    def change(self, category, given):
        after = given.get("Status", category["Status"])
        if not MACHINE.may(category["Status"], after):
            self.refuse(messages.STATUS_CHANGE, self.label, category["Status"], after)
        self._check(given, category)
        self.settle()
        written = {name: given[name] for name in ("Name", "Status") if name in given}
        return self.books.save(self.spec, {**category, **written})

    def _check(self, given, before):
        name, key = given.get("Name"), before and before["TrackingCategoryID"]
        if name and self.taken("Name", name, key):
            self.refuse(messages.UNIQUE_NAME)
        if name == "" and before:
            self.refuse(messages.REQUIRED, "Name")
        active = [other for other in self.books.records(self.spec)
                  if other["Status"] == "ACTIVE" and other["TrackingCategoryID"] != key]
        revived = before is None or before["Status"] != "ACTIVE" and given.get("Status") == "ACTIVE"
        if revived and len(active) >= MAX_ACTIVE:
            self.refuse(messages.TWO_CATEGORIES)

    def remove(self, category):
        """Gone for good."""
        self.books.remove(self.spec, category["TrackingCategoryID"])
        return {**category, "Status": "DELETED", "Options": []}

    # options -------------------------------------------------------------

    def _option(self, category_id, name):
        return {"TrackingOptionID": self.books.new_part_id("options"), "Name": name, "TrackingCategoryID": category_id,
                **flags("ACTIVE")}

    def add_option(self, visit, category, rest):
        if rest:
            visit.unknown()
        return self._one(visit, lambda given: self._add(category["TrackingCategoryID"], given))

    def _add(self, key, given):
        category = self.books.get(self.spec, key)
        self.require(given, "Name")
        self._unique(category, given, None)
        self.settle()
        option = self._option(key, given["Name"])
        self.books.save(self.spec, {**category, "Options": category["Options"] + [option]})
        return option

    def change_option(self, visit, category, rest):
        option = self._find(visit, category, rest)
        return self._one(visit, lambda given: self._change_option(category, option, given))

    def _change_option(self, category, option, given):
        after = given.get("Status", option["Status"])
        if not MACHINE.may(option["Status"], after):
            self.refuse(messages.STATUS_CHANGE, "Tracking option", option["Status"], after)
        if given.get("Name") == "":
            self.refuse(messages.REQUIRED, "Name")
        self._unique(category, given, option)
        self.settle()
        changed = {**option, "Name": given.get("Name", option["Name"]), **flags(after)}
        self.books.save(self.spec, {**category, "Options": [changed if one is option else one
                                                            for one in category["Options"]]})
        return changed

    def remove_option(self, visit, category, rest):
        option = self._find(visit, category, rest)
        self.books.save(self.spec, {**category, "Options": [one for one in category["Options"] if one is not option]})
        return visit.answers.elements("Options", [{**option, **flags("DELETED")}])

    def _unique(self, category, given, but):
        if any(one is not but and one["Name"].lower() == given.get("Name", "").lower() for one in category["Options"]):
            self.refuse(messages.UNIQUE_NAME)

    @staticmethod
    def _find(visit, category, rest):
        return next((one for one in category["Options"] if rest == [one["TrackingOptionID"]]), None) or visit.unknown()

    def _one(self, visit, function):
        """One option is written at a time, with or without a wrapper."""
        elements = visit.elements("Options", "TrackingOption", bare=True)
        if len(elements) != 1:
            raise post_data_invalid("Only one option can be written at a time")
        given, complaints = elements[0]
        self.reasons = []
        return visit.carry_out([(lambda: function(given), given, complaints)],
                               visit.parts("Options", "TrackingOptionID"))


def flags(status):
    return {"Status": status, "HasValidationErrors": False, "IsDeleted": status == "DELETED",
            "IsArchived": status == "ARCHIVED", "IsActive": status == "ACTIVE"}
