"""The health of goals in the service: computed from columns, policy and day; said by hand; and updates that are due."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.domain.health import HealthGaps
from services.goals.projections.goal_health import health_on, is_doing
from services.goals.projections.goal_rows import GOALS, rows
from shared.runtime.clock import now
from shared.schemas.event import Event
from shared.schemas.goal_health import GoalHealthSet, Health
from shared.schemas.goals import GoalAchieved
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, Company
from tests.integration.services.goals.published import recorded
from tests.integration.services.goals.test_expiry import fire
from tests.integration.services.goals.trees import LEAF, LEFT, ROOT, deliver, goal_set, history, moved
from tests.unit.services.goals.examples import JUNE

GAPS = HealthGaps()
MAY = date(2026, 5, 1)
days = st.dates(date(2025, 11, 1), date(2027, 2, 1))
points = st.integers(0, 100).map(Decimal)
said = st.sampled_from([Health.ON_TRACK, Health.AT_RISK, Health.OFF_TRACK])


@dataclass(frozen=True, slots=True)
class Drawn:
    """A goal with one below it, and the day on which somebody looks."""

    percent: int
    said: Health | None
    by_children: bool
    closed: bool
    dates: list[date]
    today: date
    gaps: list[Decimal]

    @property
    def events(self) -> list[Event]:
        dates = {"starts_on": self.dates[0], "ends_on": self.dates[1]}
        goal = goal_set(measured=not self.by_children).model_copy(update=dates)
        events: list[Event] = [goal] if self.by_children else [goal, moved(str(self.percent))]
        if self.said is not None:
            events.append(GoalHealthSet(health=self.said, reason="so it seems", progress=Decimal(50)))
        return [*events, GoalAchieved(value=None, progress=None, closed_on=JUNE)] if self.closed else events


drawn = st.builds(
    Drawn,
    percent=st.integers(0, 100),
    said=st.none() | said,
    by_children=st.booleans(),
    closed=st.booleans(),
    dates=st.tuples(days, days).map(sorted),
    today=days,
    gaps=st.tuples(points, points).map(sorted),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(drawn)
async def test_a_list_finds_the_health_that_a_goal_shows(engine: AsyncEngine, drawn: Drawn) -> None:
    gaps = HealthGaps(at_risk=drawn.gaps[0], off_track=drawn.gaps[1])
    async with engine.begin() as connection:
        await connection.execute(GOALS.delete())
    await deliver(engine, [*history(ROOT, *drawn.events), *history(LEAF, goal_set(ROOT), moved(str(drawn.percent)))])
    its = GOALS.c.goal == ROOT
    async with engine.connect() as connection:
        row = (await rows(connection, select(GOALS).where(its)))[0]
        asked = [(health, select(GOALS.c.goal).where(its, is_doing(health, drawn.today, gaps))) for health in Health]
        found = [health for health, query in asked if await connection.scalar(query)]
    shown = health_on(row, drawn.today, gaps)
    assert found == ([] if shown is None else [shown])


async def test_what_was_said_of_a_goal_lapses_when_those_below_it_move_it(engine: AsyncEngine) -> None:
    said_so = GoalHealthSet(health=Health.OFF_TRACK, reason="nobody is free", progress=Decimal(60))
    await deliver(engine, history(LEAF, goal_set(LEFT), moved("60")))
    await deliver(engine, history(LEFT, goal_set(measured=False), said_so))

    async def health() -> Health | None:
        async with engine.connect() as connection:
            row = (await rows(connection, select(GOALS).where(GOALS.c.goal == LEFT)))[0]
        return health_on(row, MAY, GAPS)

    assert await health() is Health.OFF_TRACK
    await deliver(engine, [recorded(moved("70"), stream=LEAF, version=3)])
    assert await health() is Health.ON_TRACK


async def listed(company: Company, health: str) -> list[str]:
    answer = await company.hugo.get("/goals", params={"health": health})
    assert answer.status_code == 200, answer.text
    return [goal["id"] for goal in answer.json()["items"]]


def this_year() -> dict[str, str]:
    """Dates around today, by the service's own clock: a third of the days has passed."""
    today = now().date()
    return {"starts_on": str(today - timedelta(days=30)), "ends_on": str(today + timedelta(days=59))}


async def test_health_is_shown_found_said_with_a_reason_and_lapses_with_progress(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE, **this_year())
    seen = await company.shown(company.hugo, goal)
    assert (seen["health"], seen["said_health"], seen["expected_progress"]) == ("off-track", None, "33.33")
    assert await listed(company, "off-track") == [goal]

    said_so = {"health": "at-risk", "reason": "Answers wait for the new desk"}
    answer = await company.alice.post(f"/goals/{goal}/health", json=said_so)
    assert answer.status_code == 200, answer.text
    seen = await company.shown(company.hugo, goal)
    assert (seen["health"], seen["said_health"]["reason"]) == ("at-risk", said_so["reason"])
    assert seen["said_health"]["said_by"] == str(ALICE)
    assert (await listed(company, "off-track"), await listed(company, "at-risk")) == ([], [goal])

    await company.alice.post(f"/goals/{goal}/progress", json={"value": "6"})
    seen = await company.shown(company.hugo, goal)
    assert (seen["health"], seen["said_health"]) == ("on-track", None)
    refused(
        await company.alice.post(f"/goals/{goal}/health", json={"health": "expired", "reason": "No."}),
        409,
        "rule:expired-is-not-said-by-hand",
    )


async def test_the_reason_is_sealed_in_the_read_model_and_erased_with_the_person(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE, **this_year())
    said_so = {"health": "at-risk", "reason": "Alice is at the doctor's on Mondays"}
    assert (await company.alice.post(f"/goals/{goal}/health", json=said_so)).status_code == 200
    await company.settled()
    async with company.service.runtime.engine.connect() as connection:
        kept = await connection.scalar(select(GOALS.c.said_health))
    assert "doctor" not in str(kept)
    assert (await company.hanna.post(f"/persons/{ALICE}/erase", json={})).status_code == 200
    assert (await company.shown(company.hugo, goal))["said_health"]["reason"] == "erased"


async def test_the_thresholds_are_a_policy(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE, **this_year())
    options = {"health-gaps": {"at_risk": "50", "off_track": "60"}}
    adopted = await company.hanna.post("/policies", json={"options": options, "reason": "we-start-slowly"})
    assert adopted.status_code == 201, adopted.text
    seen = await company.shown(company.hugo, goal)
    assert seen["health"] == "on-track"


async def test_an_update_is_asked_for_once_a_span_and_the_policy_says_how_long_it_is(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE, starts_on="2026-01-01", ends_on="2099-12-31")
    moment = "2026-03-31T10:00:00Z"
    await company.alice.post(f"/goals/{goal}/progress", json={"value": "5", "measured_at": moment})
    tomorrow = now() + timedelta(days=1, minutes=1)
    assert (await fire(company, tomorrow)).counts.fired == 1
    assert (await company.shown(company.alice, goal))["version"] == 3
    assert (await fire(company, tomorrow)).counts.fired == 0


async def test_an_update_that_is_not_due_yet_is_looked_at_again_when_it_is(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE, **this_year() | {"ends_on": "2099-12-31"})
    await company.alice.post(f"/goals/{goal}/progress", json={"value": "5"})
    at = now()
    assert (await fire(company, at + timedelta(days=2))).counts.fired == 0
    assert (await fire(company, at + timedelta(days=29))).counts.fired == 0
    assert (await fire(company, at + timedelta(days=31))).counts.fired == 1
    assert (await company.shown(company.alice, goal))["version"] == 3


async def test_a_policy_that_asks_sooner_holds_from_the_next_look_and_so_does_one_that_asks_at_all(
    company: Company,
) -> None:
    goal = await company.goal(company.alice, ALICE, **this_year() | {"ends_on": "2099-12-31"})
    await company.alice.post(f"/goals/{goal}/progress", json={"value": "5"})
    at = now()
    for day, choice, version in [(2, None, 2), (20, 60, 2), (22, 7, 3)]:
        options = {"update-after-days": choice}
        adopted = await company.hanna.post("/policies", json={"options": options, "reason": "we-try-it-out"})
        assert adopted.status_code == 201, adopted.text
        await fire(company, at + timedelta(days=day))
        assert (await company.shown(company.alice, goal))["version"] == version
