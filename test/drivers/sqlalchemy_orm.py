"""SQLAlchemy, with psycopg2."""
import datetime

from sqlalchemy import (Column, FetchedValue, ForeignKey, MetaData, Table, create_engine, exists, func, inspect, null,
                        select, update)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Session, joinedload, registry, relationship, selectinload

from harness import ask

engine = create_engine("postgresql://", future=True)
session = Session(engine, expire_on_commit=False, future=True)
metadata = MetaData()


class Contact:
    pass


class Invoice:
    pass


ask("table names", lambda: len(inspect(engine).get_foreign_table_names("xero")) > 0)
contacts = Table(
    "contacts", metadata,
    Column("contact_id", UUID(as_uuid=True), primary_key=True, server_default=FetchedValue()),
    autoload_with=engine, schema="xero")
invoices = Table(
    "invoices", metadata,
    Column("invoice_id", UUID(as_uuid=True), primary_key=True, server_default=FetchedValue()),
    Column("contact_id", UUID(as_uuid=True), ForeignKey(contacts.c.contact_id)),
    autoload_with=engine, schema="xero")
ask("reflection", lambda: len(invoices.columns))
registry().map_imperatively(Contact, contacts)
registry().map_imperatively(Invoice, invoices, properties={"contact": relationship(Contact)})

this_year = Invoice.date >= datetime.date(2026, 1, 1)
april = Invoice.date.between(datetime.date(2026, 4, 1), datetime.date(2026, 4, 30))
noon = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.timezone.utc)
month = func.date_trunc("month", Invoice.date)


def found(query):
    session.expunge_all()
    return len(session.execute(query).all())


keys = session.execute(select(Contact.contact_id).order_by(Contact.name).limit(30)).scalars().all()
ask("order_by a text, limit", lambda: len(keys))
ask("get", lambda: session.get(Contact, keys[0]) is not None)
ask("in_", lambda: found(select(Contact).where(Contact.contact_id.in_(keys))))
ask("where", lambda: found(select(Invoice).where(this_year, Invoice.status == "PAID")))
ask("between", lambda: found(select(Invoice.total).where(april)))
ask("a datetime", lambda: found(select(Invoice.total).where(Invoice.date >= noon)))
ask("extract", lambda: found(select(Invoice.total).where(func.extract("year", Invoice.date) == 2026)))
ask("ilike", lambda: found(select(Contact.name).where(Contact.name.ilike("%pty%"))))
ask("order_by a date, limit", lambda: found(select(Invoice).order_by(Invoice.date.desc()).limit(50).offset(100)))
ask("offset", lambda: found(select(Invoice).limit(50).offset(1000)))
ask("count", lambda: session.scalar(select(func.count()).select_from(Invoice).where(this_year)))
ask("count of a query", lambda: session.scalar(
    select(func.count()).select_from(select(Invoice).where(this_year).subquery())))
ask("exists", lambda: session.scalar(select(exists().where(this_year))))
ask("group_by", lambda: found(select(month, func.sum(Invoice.total)).where(this_year).group_by(month)))
ask("joinedload", lambda: found(select(Invoice).where(this_year).options(joinedload(Invoice.contact))))
ask("selectinload", lambda: found(select(Invoice).where(this_year).options(selectinload(Invoice.contact))))
ask("join", lambda: found(select(Invoice.total).join(Invoice.contact).where(Contact.contact_id == keys[0])))


def stream(wanted):
    with engine.connect().execution_options(stream_results=True, max_row_buffer=100) as connection:
        return len(connection.execute(select(invoices)).fetchmany(wanted))


ask("stream_results", lambda: stream(150))


def add_all(names):
    session.add_all([Contact(name=name) for name in names])
    session.flush()
    return len(names)


def save():
    contact.first_name = "A."
    session.flush()


def save_all_columns(**changed):
    row = {column.name: getattr(contact, column.name) for column in contacts.columns}
    # None would be the null of JSON.
    row = {name: null() if value is None else value for name, value in {**row, **changed}.items()}
    return session.execute(update(contacts).where(contacts.c.contact_id == contact.contact_id).values(row)).rowcount


session.expunge_all()
ask("add_all", lambda: add_all([f"Ann {n}" for n in range(20)]))
ask("executemany", lambda: session.execute(contacts.insert(), [{"name": f"Bob {n}"} for n in range(20)]).rowcount)
contact = session.get(Contact, keys[3])
ask("get another", lambda: contact.first_name)
ask("save", save)
session.refresh(contact)
ask("refresh", lambda: contact.first_name)
ask("save all columns", lambda: save_all_columns(first_name="B."))
session.commit()
