"""Query parameters and headers -> the rows of a list, in order.

Xero ignores what it does not know: unknown parameters, an If-Modified-Since
that is not in ISO form, `where` on an endpoint without filters.  --strict turns
each of those into a 400, for tests of the client.
"""
import re

from .errors import bad_query, null_in_filter, validation
from .objects import HIGH_VOLUME
from .store import fold, fold_keeping_blanks
from .values import DAY_MS, parse_ms
from .where import Filter, NullCall, parse_order

DEFAULT_PAGE = 100
MAX_PAGE = 1000
MODIFIED_SINCE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$")
HIGH_VOLUME_TEXT = (
    "Your request is not filtering {} efficiently, given the extremely high volume for this organisation. Please "
    "check https://developer.xero.com/documentation/api/efficient-data-retrieval for tips on how to filter your "
    "request, or contact api@xero.com for further assistance.")
# On a cash basis, a document counts when it is paid.  (Which journals Xero then
# shows in the place of these is documented nowhere.)
ACCRUALS = {"ACCREC", "ACCPAY"}
SEARCHED = {"Invoices": ["InvoiceNumber", "Reference"],
            "Contacts": ["Name", "FirstName", "LastName", "ContactNumber", "CompanyNumber", "EmailAddress"]}


class Listing:
    """One list request, parsed: form, page, and what selects and orders rows."""

    def __init__(self, spec, params, modified_since, options):
        self.spec = spec
        self.options = options
        self.params = {name: value for name, value in params.items() if name in spec.params}
        if options.strict and len(self.params) != len(params):
            unknown = sorted(set(params) - set(self.params))
            raise validation(f"Unknown query parameter: {', '.join(unknown)}")
        self.since = self._since(modified_since)
        self.summary = self._flag("summaryOnly")
        self.archived = self._flag("includeArchived")
        self._paging()
        self.filter = Filter(spec, self.params["where"]) if self.params.get("where", "").strip() else None
        order = self.params.get("order", "").strip()
        self.order = parse_order(spec, order, options.strict) if order else []
        if self.summary:
            self._refuse_dropped_fields()

    def _flag(self, name):
        return self.params.get(name, "").lower() == "true"

    def _number(self, name):
        try:
            return int(self.params[name])
        except (KeyError, ValueError):
            return None

    def _since(self, header):
        """Milliseconds, or None for a header that is absent, malformed or unsupported."""
        if not header or not self.spec.modified_since:
            return None
        ms = parse_ms(header.strip()) if MODIFIED_SINCE.match(header.strip()) else None
        if ms is None and self.options.strict:
            raise validation("If-Modified-Since is not in the form yyyy-mm-ddThh:mm:ss")
        return ms

    def _paging(self):
        spec = self.spec
        page = self._number("page")
        size = self._number("pageSize")
        forced = self.summary or self.params.get("Statuses") or spec.paging in ("always", "bare")
        self.paged = spec.paging in ("pages", "always", "bare") and (page is not None or bool(forced))
        if "manualjournals-order-unpaged" in self.options.quirks and spec.name == "ManualJournals" \
                and self.params.get("order"):
            self.paged = False
        self.page = max(1, page or 1)
        self.size = min(MAX_PAGE, max(1, size)) if size is not None else DEFAULT_PAGE
        self.form = "summary" if self.summary else "page" if self.paged else "list"

    def _refuse_dropped_fields(self):
        dropped = self.spec.forms["summary"].drop
        paths = [path for path, _ in self.filter.paths] if self.filter else []
        for path in paths + [term[0] for term in self.order]:
            if path.split(".")[0] in dropped:
                raise bad_query(f"No property or field '{path}' exists in type '{self.spec.type_name}Summary'")

    # selection -----------------------------------------------------------

    def selection(self):
        """What decides the rows and their order: a key for caching them."""
        return (tuple(sorted((n, v) for n, v in self.params.items() if n not in ("page", "pageSize", "unitdp"))),
                self.since)

    def rows(self, table):
        """All matching rows in order, before paging."""
        rows = table.rows()
        if self.filter:
            try:
                rows = self.filter.rows(table)
            except NullCall:
                raise null_in_filter() from None
        if self.params.get("IDs"):
            named = {table.row_by_key(word.strip()) for word in self.params["IDs"].split(",")} - {None}
            rows = sorted(named.intersection(rows)) if self.filter else sorted(named)
        for test in self._tests(table):
            rows = [row for row in rows if test(row)]
        self._check_volume(table, rows)
        ordered = table.ordered(self._order_terms())
        if len(rows) == len(ordered):
            return ordered
        if len(rows) * 20 < len(ordered):
            rank = table.rank(self._order_terms())
            return sorted(rows, key=rank.__getitem__)
        chosen = set(rows)
        return [row for row in ordered if row in chosen]

    def _order_terms(self):
        if self.order:
            return self.order
        if self.spec.name == "Journals":
            return [("JournalNumber", "int", False)]
        if self.spec.clock:
            return [(self.spec.clock, "instant", False)]
        return []

    def _tests(self, table):
        """Row tests of the dedicated parameters."""
        spec, params, tests = self.spec, self.params, []

        def one_of(path, values, mode="exact"):
            column = table.view(path, mode)
            tests.append(lambda row: column[row] in values)

        def words(name):
            return {word.strip() for word in params[name].split(",") if word.strip()}

        if self.since is not None:
            clock, since = table.column(spec.clock), self.since // 1000
            tests.append(lambda row: (clock[row] or 0) // 1000 > since)
        if params.get("InvoiceNumbers"):
            one_of("InvoiceNumber", {fold(word) for word in words("InvoiceNumbers")}, "equal")
        if params.get("ContactIDs"):
            one_of("Contact.ContactID", {word.lower() for word in words("ContactIDs")})
        if params.get("Statuses"):
            one_of("Status", {word.upper() for word in words("Statuses")})
        if params.get("References"):
            one_of("Reference", {fold(word) for word in words("References")}, "equal")
        if params.get("Status"):
            one_of("Status", {params["Status"].upper()})
        if params.get("QuoteNumber"):
            one_of("QuoteNumber", {fold(params["QuoteNumber"])}, "equal")
        if params.get("ContactID"):
            path = "ContactID" if spec.name == "LinkedTransactions" else "Contact.ContactID"
            one_of(path, {params["ContactID"].lower()})
        for name in ("LinkedTransactionID", "SourceTransactionID", "TargetTransactionID"):
            if params.get(name):
                one_of(name, {params[name].lower()})
        self._date_tests(table, tests)
        if params.get("searchTerm"):
            term = fold_keeping_blanks(params["searchTerm"])
            columns = [table.view(path, "like") for path in SEARCHED[spec.name]]
            tests.append(lambda row: any(c[row] is not None and term in c[row] for c in columns))
        if spec.name == "Journals":
            offset, numbers = self._number("offset") or 0, table.column("JournalNumber")
            tests.append(lambda row: numbers[row] > offset)
            if self._flag("paymentsOnly"):
                sources = table.column("SourceType")
                tests.append(lambda row: sources[row] not in ACCRUALS)
        self._archive_tests(table, tests)
        return tests

    def _date_tests(self, table, tests):
        if self.spec.name == "Budgets":
            return
        for prefix, field in (("Date", "Date"), ("ExpiryDate", "ExpiryDate")):
            for suffix, sign in (("From", 1), ("To", -1)):
                ms = parse_ms(self.params.get(prefix + suffix, ""))
                if ms is not None:
                    column = table.column(field)
                    tests.append(lambda row, c=column, s=sign, m=ms: c[row] is not None and (c[row] // DAY_MS
                                                                                            - m // DAY_MS) * s >= 0)

    def _archive_tests(self, table, tests):
        """Archived rows are hidden unless asked for, by flag or by id."""
        name = self.spec.name
        if self.archived or self.params.get("IDs"):
            return
        if name == "Contacts":
            status = table.column("ContactStatus")
            tests.append(lambda row: status[row] != "ARCHIVED")
        elif name == "TrackingCategories":
            status = table.column("Status")
            tests.append(lambda row: status[row] == "ACTIVE")
        elif name == "ContactGroups":
            status = table.column("Status")
            tests.append(lambda row: status[row] == "ACTIVE")
        elif name == "BankTransfers" and not self._flag("includeDeleted"):
            status = table.column("Status")
            tests.append(lambda row: status[row] != "DELETED")
        elif name == "Invoices" and "archived-invoices" in self.options.quirks:
            status = table.column("Contact.ContactStatus")
            tests.append(lambda row: status[row] != "ARCHIVED")

    def _check_volume(self, table, rows):
        """The rule for very large organisations, off unless asked for."""
        limit = self.options.high_volume
        spec = self.spec
        if not limit or spec.name not in HIGH_VOLUME or len(table.rows()) <= limit:
            return
        paths = {path for path, _ in self.filter.paths} if self.filter else set()
        paths |= {term[0] for term in self.order}
        slow = self.filter and self.filter.has_or and paths - {spec.key, "Invoice.InvoiceID"}
        if len(rows) > limit or not self.paged or paths - spec.optimised or slow:
            raise validation(HIGH_VOLUME_TEXT.format(spec.name))

    # page ----------------------------------------------------------------

    def slice(self, rows):
        """(rows of this answer, pagination object or None)."""
        if self.spec.paging == "offset":
            return rows[:journal_page(rows)], None
        if not self.paged:
            return rows, None
        start = (self.page - 1) * self.size
        pagination = {"page": self.page, "pageSize": self.size,
                      "pageCount": -(-len(rows) // self.size), "itemCount": len(rows)}
        return rows[start:start + self.size], pagination if self.spec.paging != "bare" else None


def journal_page(rows):
    """How many journals this answer holds: at most 100, and now and then
    fewer although more follow, which is not the end."""
    return min(len(rows), 100 if not rows or rows[0] % 3 else 61)
