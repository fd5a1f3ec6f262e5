"""A Xero that runs on this machine, written from Xero's specification.

Modules, from the wire inwards:
    app       command line, HTTP server, life cycle
    gateway   one API call: log, identity, limits, faults, sending
    identity/ who calls: logins, tokens and connections
    limits    Xero's rate limits
    faults    misbehaviour that a test asked for
    canned    answers that a test supplied
    control   the /sandbox/ endpoints
    answer    what goes back
    api       path -> object, form and answer
    listing   query parameters -> rows
    where     the filter language
    objects   what each endpoint supports
    schema    the filterable fields of each object
    writes/   PUT, POST and DELETE: batches, validation, statuses, sums
    store     rows of one object, their indices and orders
    render    records -> JSON or XML bytes, in Xero's varied spellings
    values    typed leaf values; seeds: deterministic numbers
    org/      the data generator

Nothing here is shared with the extension's own sources: both sides were
written from the specification, so that one checks the other.
"""
