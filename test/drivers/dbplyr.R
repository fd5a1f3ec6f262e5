# dbplyr, with RPostgreSQL (Debian has no RPostgres).
suppressPackageStartupMessages({
    library(DBI)
    library(dplyr)
    library(dbplyr)
})

harness <- file("stdin", "r")
ask <- function(name, rows) {
    rows <- tryCatch(rows, error = function(problem) gsub("\\s+", " ", conditionMessage(problem)))
    cat(name, "\t", rows, "\n", sep = "")
    invisible(readLines(harness, 1))
}
found <- function(query) nrow(collect(query))

db <- dbConnect(RPostgreSQL::PostgreSQL(), host = Sys.getenv("PGHOST"), port = Sys.getenv("PGPORT"),
    user = Sys.getenv("PGUSER"), dbname = Sys.getenv("PGDATABASE"))
contacts <- tbl(db, in_schema("xero", "contacts"))
invoices <- tbl(db, in_schema("xero", "invoices"))
this_year <- filter(invoices, date >= "2026-01-01")
june <- filter(invoices, date >= !!as.Date("2026-06-01"))

ask("tbl", ncol(invoices))
ask("head", found(head(invoices, 10)))
ask("print", length(capture.output(print(invoices))) > 10)
ask("filter", found(filter(this_year, status == "PAID")))
ask("filter, as.Date()", found(june))
ask("filter, a number", found(filter(invoices, total > 19000)))
ask("filter, %in%", found(filter(invoices, status %in% c("DRAFT", "SUBMITTED"))))
ask("filter, year()", found(filter(invoices, year(date) == 2026)))
ask("filter, grepl()", found(filter(contacts, grepl("Pty", name))))
ask("count", found(count(this_year)))
ask("summarise", found(summarise(group_by(this_year, month = date_trunc("month", date)),
    sum = sum(total, na.rm = TRUE))))
ask("arrange, head", found(head(arrange(invoices, desc(date)), 20)))
ask("slice_max", found(slice_max(invoices, date, n = 5, with_ties = FALSE)))
ask("left_join", found(left_join(june, contacts, by = "contact_id")))
ask("semi_join", found(semi_join(contacts, june, by = "contact_id")))
ask("distinct", found(distinct(invoices, type)))
invisible(dbDisconnect(db))
