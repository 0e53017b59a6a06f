"""The table `people`: what a service keeps of a person; no name, no address."""

from typing import Final

from sqlalchemy import Column, Connection, Date, Integer, MetaData, Numeric, Table, Text, Uuid, text

PEOPLE: Final = Table(
    "people",
    MetaData(),
    Column("person", Uuid, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("manager", Uuid),
    Column("team", Text),
    Column("legal_entity", Text, nullable=False),
    Column("pay_group", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("job_title", Text),
    Column("hired_on", Date, nullable=False),
    Column("left_on", Date),
    Column("fte", Numeric, nullable=False),
    Column("status", Text, nullable=False),
)

_CREATE: Final = (
    """create table people (
         person uuid primary key,
         revision integer not null,
         manager uuid,
         team text,
         legal_entity text not null,
         pay_group text not null,
         country text not null,
         job_title text,
         hired_on date not null,
         left_on date,
         fte numeric not null,
         status text not null)""",
    "create index people_of_manager on people (manager)",
)


def create_people(connection: Connection) -> None:
    """Create the table as a service's first migration does: frozen; a change is a new function.

    `manager` is no foreign key: records come in any order.
    """
    for statement in _CREATE:
        connection.execute(text(statement))
