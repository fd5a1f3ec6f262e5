"""Where sources about writes contradict each other, or are few: the sandbox does
one thing unless a quirk asks for the other.  Who reports it stands where it is
done, and in tests/test_writes_strict.py.
"""

QUIRKS = (
    "quotes-keep-omitted",          # POST of a quote is partial, as of any other document
    "quotes-as-entered",            # lines of an INCLUSIVE quote are shown as they were written
    "orders-lose-contact",          # a purchase order posted with a Status and no Contact has none (Xero-Net#181, 2016)
    "journals-without-narration",   # an update of a manual journal needs no Narration
    "empty-persons-clear",          # "ContactPersons": [] removes them
    "put-overwrites-contacts",      # PUT of a contact whose ContactNumber exists changes that contact
    "merged-contacts-refused",      # a contact that was merged into another one takes no writes; no source says what Xero does
    "trimmed-names",                # names of contacts lose blanks at their ends; integrators trim, and say Xero does
    "tracking-refused",             # unknown tracking refuses the line
    "tracking-warned",              # unknown tracking is dropped with a warning
    "description-lines",            # lines with a description only can be approved
    "reasons-at-lines",             # LineItems[].ValidationErrors has what is wrong with a line
    "reasons-as-descriptions",      # "Description" instead of "Message"
    "hidden-item-codes",            # lines are shown without ItemCode and Item, and keep them
    "payroll-problems-in-200",      # a refusal of UK and NZ payroll has status 200; its schema in the spec has a problem
    "bank-details-absent",          # the person who connected lacks the role BankAccountAdmin: contacts are shown
                                    # without bank details (Xero's changelog, 29 Jun 2026), and written without them only
    "bank-details-masked",          # the same, but masked; how is not documented
    "rounding-amounts",             # the organisation has opted in: totals that are sent stand, by up to 0.10
)
