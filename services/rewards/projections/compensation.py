"""What does a person earn, and in which range? Pay data that this service alone reads, from a compacted feed."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Column, Integer, MetaData, Row, Table, Text, Uuid, any_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.merit_increase import Pay
from shared.schemas.identifiers import PersonId
from shared.schemas.money import Money
from shared.schemas.people import CompensationRecord, SalaryPeriod

Change: TypeAlias = tuple[PersonId, CompensationRecord | None]
"""A record of the feed; None is a tombstone: the person's pay is forgotten."""

COMPENSATION: Final = Table(
    "compensation",
    MetaData(),
    Column("person", Uuid, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("currency", Text, nullable=False),
    Column("base_salary", BigInteger, nullable=False, comment="minor units, for `per`"),
    Column("range_minimum", BigInteger, nullable=False, comment="minor units, for `per`"),
    Column("range_maximum", BigInteger, nullable=False, comment="minor units, for `per`"),
    Column("per", Text, nullable=False),
)
_PAY: Final = select(COMPENSATION).where(COMPENSATION.c.person == any_(bindparam("people", type_=ARRAY(Uuid))))


class MixedCurrencies(ValueError):  # noqa: N818 - named for the fact
    """A salary and its range are in different currencies."""


async def apply(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """Bring the table to what these records say; an older or equal revision changes nothing.

    Raises:
        MixedCurrencies: a record that cannot be compared with its range.
    """
    forgotten, latest = _reduce(changes)
    if forgotten:
        await connection.execute(delete(COMPENSATION).where(COMPENSATION.c.person.in_(forgotten)))
    if latest:
        statement = insert(COMPENSATION)
        new = statement.excluded
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=[COMPENSATION.c.person],
                set_={column.name: new[column.name] for column in COMPENSATION.columns if column.name != "person"},
                where=new.revision > COMPENSATION.c.revision,
            ),
            [_row(latest[person]) for person in sorted(latest)],
        )


def _reduce(changes: Iterable[Change]) -> tuple[list[PersonId], dict[PersonId, CompensationRecord]]:
    """Who was forgotten in between, and each one's highest revision since."""
    forgotten: set[PersonId] = set()
    latest: dict[PersonId, CompensationRecord] = {}
    for person, record in changes:
        if record is None:
            forgotten.add(person)
            latest.pop(person, None)
        elif person not in latest or record.revision > latest[person].revision:
            latest[person] = record
    return sorted(forgotten), latest


def _row(record: CompensationRecord) -> dict[str, Any]:
    currency = record.base_salary.currency
    if {record.range_minimum.currency, record.range_maximum.currency} != {currency}:
        raise MixedCurrencies(f"salary in {currency}, range in {record.range_minimum.currency}")
    return {
        "person": record.person,
        "revision": record.revision,
        "currency": currency,
        "base_salary": record.base_salary.minor,
        "range_minimum": record.range_minimum.minor,
        "range_maximum": record.range_maximum.minor,
        "per": record.per.value,
    }


async def pay_of(connection: AsyncConnection, person: PersonId) -> Pay | None:
    """The person's pay as last stated; none: the feed has not told of it."""
    return (await pay_of_all(connection, [person])).get(person)


async def pay_of_all(connection: AsyncConnection, people: Collection[PersonId]) -> dict[PersonId, Pay]:
    """Each person's pay as last stated; who is missing: the feed has not told of it."""
    rows = await connection.execute(_PAY, {"people": list(people)})
    return {PersonId(row.person): _pay(row) for row in rows}


def _pay(row: Row[Any]) -> Pay:
    return Pay(
        base_salary=Money.from_minor(row.base_salary, row.currency),
        range_minimum=Money.from_minor(row.range_minimum, row.currency),
        range_maximum=Money.from_minor(row.range_maximum, row.currency),
        per=SalaryPeriod(row.per),
        revision=row.revision,
    )
