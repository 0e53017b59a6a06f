"""Goals bound to KPIs, over HTTP and through the reaction: moved by what was measured, and by nothing else."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import literal, text

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_dates import RescheduleGoal
from services.goals.domain.policy import DEFAULT
from services.goals.projections import bound_goals, taken_measurements
from services.goals.projections.bound_goals import BOUND
from services.goals.reactions import move_goals_when_kpi_is_measured
from shared.eventsourcing.database import driver
from shared.eventsourcing.decision import Context
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.reactor import Reactor
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.stored_envelope import envelope_of
from shared.schemas.identifiers import GoalId
from shared.schemas.kpis import KpiMeasured
from shared.schemas.partitions import PARTITIONS
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, HUGO, Company
from tests.integration.services.goals.test_kpis_over_http import defined, figures

SUM = {"kind": "number", "unit": None, "per": "1", "aggregation": "sum", "target": None, "thresholds": None}
PERCENT = {"kind": "percent", "start": "80", "target": "95", "unit": "%"}


async def bound(company: Company, kpi: str, how: str = "ratio-of-sums", **said: Any) -> str:
    """A goal of Alice's for the year that follows the KPI."""
    binding = {name: said.pop(name) for name in ("window",) if name in said}
    goal = await company.goal(company.hugo, ALICE, **{"metric": PERCENT, **said})
    answer = await company.hugo.post(f"/goals/{goal}/bind", json={"kpi": kpi, "aggregation": how, **binding})
    assert answer.status_code == 200, answer.text
    assert "record-progress" not in answer.json()["allowed_actions"]
    return goal


async def measure(company: Company, kpi: str, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        assert (await company.hugo.post(f"/kpis/{kpi}/measurements", json=body)).status_code == 201


async def shown(company: Company, goal: str) -> dict[str, Any]:
    """The goal, after what was measured has moved it and that has reached its read model."""
    await company.settled()
    return await company.shown(company.hugo, goal)


async def moves(company: Company, goal: str) -> list[str]:
    """The values that the goal was moved to, in their order."""
    async with company.service.runtime.engine.connect() as connection:
        query = text(
            "select data::jsonb ->> 'value' from events where stream = :stream and type like '%GoalProgressRecorded%' "
            "and data::jsonb ->> 'source' = 'kpi' order by version"
        )
        return list((await connection.execute(query, {"stream": f"goal-{goal}"})).scalars())


async def test_a_bound_goal_moves_with_its_kpi_and_takes_no_value_by_hand(company: Company) -> None:
    kpi = await defined(company)
    goal = await bound(company, kpi)
    await measure(company, kpi, figures(180, 200), figures(99, 100, "2026-02-27"))
    seen = await shown(company, goal)
    assert (seen["value"], seen["progress"], seen["kpi"]) == ("93", "86.67", kpi)
    assert "record-progress" not in seen["allowed_actions"]
    by_hand = await company.hugo.post(f"/goals/{goal}/progress", json={"value": "95"})
    assert refused(by_hand, 409, "rule:goal-is-bound-to-a-kpi")["values"] == {"kpi": kpi}


async def test_a_goal_that_is_bound_late_moves_to_what_was_measured_before(company: Company) -> None:
    kpi = await defined(company)
    await measure(company, kpi, figures(190, 200))
    await company.settled()
    goal = await bound(company, kpi)
    assert (await shown(company, goal))["value"] == "95"


async def test_a_goal_moves_once_a_slice_however_much_was_measured(company: Company) -> None:
    kpi = await defined(company)
    goal = await bound(company, kpi)
    await measure(company, kpi, *(figures(150 + day, 200, f"2026-03-{day:02}") for day in range(1, 29)))
    await company.settled()
    assert await moves(company, goal) == ["82.25"]
    await company.settled()
    assert len(await moves(company, goal)) == 1


async def test_a_correction_moves_the_goal_and_a_retirement_does_not(company: Company) -> None:
    kpi = await defined(company)
    goal = await bound(company, kpi)
    await measure(company, kpi, figures(180, 200), figures(200, 200, "2026-03-31"))
    await company.settled()
    await measure(company, kpi, figures(200, 200, id="again", corrects="tickets-2026-03-30"))
    await company.settled()
    await company.hugo.post(f"/kpis/{kpi}/retire", json={"reason": "measured-otherwise"})
    await company.settled()
    assert await moves(company, goal) == ["95", "100"]


async def test_a_goal_keeps_its_target_when_the_kpi_gets_another(company: Company) -> None:
    kpi = await defined(company)
    goal = await bound(company, kpi)
    revised = {"target": "99", "thresholds": None, "reason": "new-contract"}
    assert (await company.hugo.post(f"/kpis/{kpi}/target", json=revised)).status_code == 200
    await measure(company, kpi, figures(190, 200))
    seen = await shown(company, goal)
    assert (seen["metric"]["target"], seen["progress"]) == ("95", "100.00")


async def test_a_goal_takes_the_value_that_it_refused_once_its_target_has_room_for_it(company: Company) -> None:
    kpi = await defined(company, **SUM)
    few = {"kind": "milestones", "start": "0", "target": "4"}
    goal = await bound(company, kpi, "sum", metric=few)
    await measure(company, kpi, {"measured_at": "2026-02-01T00:00:00Z", "value": "5", "source": "Desk"})
    assert (await shown(company, goal))["progress"] == "0.00"
    more = {"metric": few | {"target": "10"}}
    assert (await company.hugo.post(f"/goals/{goal}/target", json=more)).status_code == 200
    assert (await shown(company, goal))["progress"] == "50.00"


@pytest.mark.parametrize(
    ("window", "value"),
    [
        ("goal-period", "106"),
        ("latest-day", "3"),
        ("latest-week", "5"),
        ("latest-month", "6"),
        ("latest-quarter", "106"),
    ],
)
async def test_a_window_is_the_goals_period_or_the_calendars_with_the_latest_measurement(
    company: Company, window: str, value: str
) -> None:
    kpi = await defined(company, **SUM)
    metric = {"kind": "number", "target": "1000"}
    dates = {"starts_on": "2026-01-01", "ends_on": "2026-03-31"}
    goal = await bound(company, kpi, "sum", metric=metric, window=window, **dates)
    for name, (day, figure) in enumerate(
        [
            ("2025-12-31", "5000"),
            ("2026-02-28", "100"),
            ("2026-03-01", "1"),
            ("2026-03-30", "2"),
            ("2026-03-31", "3"),
            ("2026-04-01", "5000"),
        ]
    ):
        said = {"id": f"m-{name}", "measured_at": f"{day}T12:00:00Z", "value": figure, "source": "ledger"}
        await measure(company, kpi, said)
    assert (await shown(company, goal))["value"] == value


async def test_a_goal_that_is_rescheduled_counts_the_days_of_its_new_period(company: Company) -> None:
    kpi = await defined(company)
    goal = await bound(company, kpi)
    await measure(company, kpi, figures(180, 200, "2026-01-15"), figures(200, 200))
    assert (await shown(company, goal))["value"] == "95"
    runtime, now = company.service.runtime, datetime(2026, 4, 1, tzinfo=UTC)
    context = Context(actor=HUGO, at=now, command_id=uuid7(), correlation_id=uuid7())
    later = RescheduleGoal(
        goal=GoalId(UUID(goal)),
        starts_on=date(2026, 2, 1),
        ends_on=date(2026, 12, 31),
        at=now,
        by=HUGO,
        policy=DEFAULT,
    )
    await runtime.handler.handle(context, GOAL, later.goal, later)
    assert (await shown(company, goal))["value"] == "100"


async def test_a_closed_goal_stays_where_it_is(company: Company) -> None:
    kpi = await defined(company)
    goal = await bound(company, kpi)
    await measure(company, kpi, figures(180, 200))
    await company.settled()
    assert (await company.hugo.post(f"/goals/{goal}/achieve", json={"closed_on": "2026-03-31"})).status_code == 200
    await measure(company, kpi, figures(200, 200, "2026-03-31"))
    assert (await shown(company, goal))["value"] == "90"


async def test_an_unbound_goal_moves_by_hand_again_and_no_longer_with_the_kpi(company: Company) -> None:
    kpi = await defined(company)
    goal = await bound(company, kpi)
    answer = await company.hugo.post(f"/goals/{goal}/unbind", json={"reason": "measured-by-hand"})
    assert "record-progress" in answer.json()["allowed_actions"]
    await measure(company, kpi, figures(190, 200))
    assert (await shown(company, goal))["value"] == "80"
    assert (await company.hugo.post(f"/goals/{goal}/progress", json={"value": "85"})).status_code == 200


async def test_who_may_not_align_a_goal_may_not_bind_it(company: Company) -> None:
    kpi = await defined(company)
    goal = await company.goal(company.hugo, HUGO, level="team", team="Support", metric=PERCENT)
    asked = {"kpi": kpi, "aggregation": "ratio-of-sums"}
    refused(await company.alice.post(f"/goals/{goal}/bind", json=asked), 403, "problem:forbidden")
    unknown = asked | {"kpi": goal}
    refused(await company.hugo.post(f"/goals/{goal}/bind", json=unknown), 409, "rule:kpi-must-be-defined")


async def test_the_index_of_bound_goals_can_be_rebuilt_from_the_events(company: Company) -> None:
    kpi = await defined(company)
    kept, freed = await bound(company, kpi), await bound(company, kpi)
    answer = await company.hugo.post(f"/goals/{freed}/unbind", json={"reason": "measured-by-hand"})
    assert answer.status_code == 200, answer.text
    async with company.service.runtime.engine.begin() as connection:
        before = (await connection.execute(BOUND.select())).all()
        await bound_goals.rebuild(connection)
        assert (await connection.execute(BOUND.select())).all() == before
    assert [(str(row.goal), str(row.kpi)) for row in before] == [(kept, kpi)]


async def two_slices_at_once(company: Company, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Of two slices the first has read the measurements when one more is taken, which the second brings to its end.

    The value that the goal ends with.
    """
    kpi = await defined(company, **SUM)
    goal = await bound(company, kpi, "sum", metric={"kind": "number", "target": "1000"})
    await company.settled()
    read, go_on = asyncio.Event(), asyncio.Event()
    reading = taken_measurements.value

    async def slowly(*asked: Any, **how: Any) -> Decimal | None:
        found = await reading(*asked, **how)
        if not read.is_set():
            read.set()
            await go_on.wait()
        return found

    monkeypatch.setattr(taken_measurements, "value", slowly)
    await measure(company, kpi, {**COUNT, "id": "first", "measured_at": "2026-01-15T12:00:00Z"})
    slow = asyncio.create_task(company.settled())
    await read.wait()
    await measure(company, kpi, {**COUNT, "id": "second", "measured_at": "2026-02-15T12:00:00Z"})
    fast = asyncio.create_task(_react_to_the_last(company))
    await asyncio.wait([fast], timeout=2)
    go_on.set()
    await asyncio.gather(slow, fast)
    values = await moves(company, goal)
    return values[-1] if values else None


async def _react_to_the_last(company: Company) -> None:
    """What another worker does, which owns the partition of the last event."""
    runtime = company.service.runtime
    reactor = Reactor(move_goals_when_kpi_is_measured.REACTION, CommandHandler(runtime.store, partitions=PARTITIONS))
    async with runtime.engine.begin() as connection:
        raw = await driver(connection)
        row = await raw.fetchrow("select * from events order by position desc limit 1")
        envelope = envelope_of(row, source="/trellis/goals", log_id=uuid7(), previous_position=0)
        event = runtime.service.types.decode(row["type"], row["data"])
        assert isinstance(event, KpiMeasured)
        await reactor.apply(connection, [Recorded(event, envelope)])


COUNT = {"value": "1", "source": "ledger"}


async def test_of_two_slices_at_once_the_one_that_saw_more_writes_last(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await two_slices_at_once(company, monkeypatch) == "2"


async def test_without_turns_the_one_that_saw_less_could_write_last(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr(move_goals_when_kpi_is_measured, "IN_TURN", literal(1))
    assert await two_slices_at_once(company, monkeypatch) == "1"
