"""The scopes there are: broad ones, and the granular ones of 2026.

Apps from 2 March 2026 on (custom connections: 29 April) get the granular ones
in place of accounting.transactions and accounting.reports.read, journals only
with the Advanced tier, classic expenses not at all, and finance.* only if Xero
has approved that (Xero's scopes and changelog pages of 2026; crude-xero;
XeroAPI/xero-mcp-server#298 and #302).
"""

PERSONAL = ("openid", "profile", "email")
OFFLINE = "offline_access"


def _both(*names):
    return [scope for name in names for scope in (name, name + ".read")]


BROAD = [
    *_both("accounting.transactions", "accounting.settings", "accounting.contacts", "accounting.attachments"),
    "accounting.journals.read", "accounting.reports.read", "accounting.budgets.read", "paymentservices",
    *_both("files", "assets", "projects", "payroll.employees", "payroll.leaveapplications", "payroll.payitems",
           "payroll.payrollcalendars", "payroll.payruns", "payroll.payslip", "payroll.settings", "payroll.superfunds",
           "payroll.timesheets"),
    "bankfeeds", "finance.accountingactivity.read", "finance.bankstatementsplus.read", "finance.cashvalidation.read",
    "finance.statements.read"]
GRANULAR = [
    *_both("accounting.invoices", "accounting.payments", "accounting.banktransactions", "accounting.manualjournals",
           "accounting.classicexpenses"),
    *(f"accounting.reports.{report}.read"
      for report in ("aged", "balancesheet", "banksummary", "budgetsummary", "executivesummary", "profitandloss",
                     "trialbalance", "taxreports", "tenninetynine"))]
API = [*BROAD, *GRANULAR]
ALL = [*PERSONAL, OFFLINE, *API]
CLOSED = frozenset([*_both("accounting.transactions", "accounting.classicexpenses"), "accounting.reports.read",
                    "accounting.journals.read", *(scope for scope in API if scope.startswith("finance."))])


def known(text, allowed=None):
    """The scopes of a blank-separated list, each once; ValueError if it is
    empty or has one that does not exist."""
    scopes = list(dict.fromkeys(text.split()))
    if not scopes or not set(scopes) <= set(ALL if allowed is None else allowed):
        raise ValueError("scope")
    return scopes


def for_login(text, allowed):
    """As known(), of what the app may ask for; who asks about a person must
    ask for openid."""
    scopes = known(text, [*PERSONAL, OFFLINE, *allowed])
    if {"profile", "email"} & set(scopes) and "openid" not in scopes:
        raise ValueError("openid")
    return scopes


def reach_organisations(scopes):
    return bool(set(scopes) - {*PERSONAL, OFFLINE})
