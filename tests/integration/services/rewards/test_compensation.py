"""Pay data from their feed, on a real PostgreSQL: the latest revision counts, a tombstone removes."""

from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.projections.compensation import Change, MixedCurrencies, apply, pay_of
from shared.schemas.identifiers import PersonId
from shared.schemas.money import Money
from shared.schemas.people import CompensationRecord, SalaryPeriod
from tests.unit.services.rewards.examples import ANN, MANAGER, usd


def record(revision: int, base: str = "60000.00", person: PersonId = ANN) -> Change:
    return person, CompensationRecord(
        person=person,
        revision=revision,
        base_salary=usd(base),
        per=SalaryPeriod.YEAR,
        range_minimum=usd("50000.00"),
        range_maximum=usd("80000.00"),
    )


async def test_pay_is_what_the_latest_revision_says(connection: AsyncConnection) -> None:
    await apply(connection, [record(1), record(2, "61000.00"), record(1, person=MANAGER)])
    pay = await pay_of(connection, ANN)
    assert pay is not None
    assert (pay.base_salary, pay.range_maximum, pay.per, pay.revision) == (
        usd("61000.00"),
        usd("80000.00"),
        SalaryPeriod.YEAR,
        2,
    )


async def test_an_older_revision_changes_nothing(connection: AsyncConnection) -> None:
    for change in (record(2, "61000.00"), record(1), record(2, "1.00")):
        await apply(connection, [change])
    pay = await pay_of(connection, ANN)
    assert pay is not None
    assert pay.base_salary == usd("61000.00")


async def test_a_tombstone_forgets_and_a_later_record_tells_again(connection: AsyncConnection) -> None:
    await apply(connection, [record(3), (ANN, None)])
    assert await pay_of(connection, ANN) is None
    await apply(connection, [record(1)])
    assert await pay_of(connection, ANN) is not None


async def test_of_whom_nothing_was_told_nothing_is_known(connection: AsyncConnection) -> None:
    assert await pay_of(connection, ANN) is None


async def test_a_range_in_another_currency_is_refused(connection: AsyncConnection) -> None:
    person, good = record(1)
    assert good is not None
    euros = good.model_copy(update={"range_maximum": Money(amount=Decimal(80000), currency="EUR")})
    with pytest.raises(MixedCurrencies):
        await apply(connection, [(person, euros)])
