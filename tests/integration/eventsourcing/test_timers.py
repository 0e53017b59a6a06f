"""Timers on a real PostgreSQL: set, moved and cancelled by events, fired once each, in due order, late or not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from shared.eventsourcing.decision import Decision
from shared.eventsourcing.errors import Conflict, SubjectErased
from shared.eventsourcing.firing import ATTEMPTS, TimerRunner
from shared.eventsourcing.store import Metadata
from shared.eventsourcing.timers import (
    DueTimer,
    end_of_day,
    failed_timers,
    late,
    rebuild_timers,
    retry,
    start_of_day,
    timer_status,
)
from shared.schemas.identifiers import SYSTEM
from tests.integration.eventsourcing.alarms import ALARMS, MINUTE, RING, Alarms, AlarmSet, in_order, ring, runner
from tests.integration.eventsourcing.tally import NOW
from tests.servers.databases import Database


@pytest.fixture
async def alarms(database: Database) -> AsyncIterator[Alarms]:
    alarms = await Alarms.on(database)
    yield alarms
    await alarms.engine.dispose()


async def let_retries_pass(alarms: Alarms) -> None:
    async with alarms.engine.begin() as connection:
        await connection.execute(text("update timers set retry_at = null"))


async def test_what_is_due_fires_once_and_what_is_not_yet_due_waits(alarms: Alarms) -> None:
    await alarms.set("due", NOW)
    await alarms.set("later", NOW + MINUTE)
    await alarms.deliver()
    firing = runner(alarms.handler)
    await firing.fire_due()
    await firing.fire_due()
    assert [rang.due_at for _, rang in await alarms.rang()] == [NOW]
    assert (firing.counts.fired, firing.counts.late) == (1, 0)
    assert (await timer_status(alarms.engine, NOW)).pending == 1


async def test_what_was_missed_fires_at_once_in_due_order_and_says_how_late_it_is(alarms: Alarms) -> None:
    for hours in (1, 72, 24, 2):
        await alarms.set(hours, NOW - timedelta(hours=hours))
    await alarms.deliver()
    assert await late(alarms.engine, NOW) == 4
    firing = runner(alarms.handler)
    await firing.fire_due()
    rang = await alarms.rang()
    assert in_order(rang)
    assert [event.late_seconds // 3600 for _, event in rang] == [72, 24, 2, 1]
    assert (firing.counts.fired, firing.counts.late, await late(alarms.engine, NOW)) == (4, 4, 0)


async def test_an_event_moves_a_timer_and_another_cancels_it(alarms: Alarms) -> None:
    await alarms.set("moved", NOW - MINUTE)
    await alarms.deliver()
    await alarms.set("moved", NOW + MINUTE)
    silenced = await alarms.set("silenced", NOW - MINUTE)
    await alarms.deliver()
    await alarms.silence(silenced)
    await alarms.deliver()
    await runner(alarms.handler).fire_due()
    assert await alarms.rang() == []
    assert await alarms.scalar("select due_at from timers") == NOW + MINUTE


async def test_what_was_closed_before_the_reader_knew_decides_nothing_and_the_timer_is_gone(alarms: Alarms) -> None:
    silenced = await alarms.set("silenced", NOW)
    await alarms.deliver()
    await alarms.silence(silenced)
    firing = runner(alarms.handler)
    await firing.fire_due()
    assert (await alarms.rang(), firing.counts.spent) == ([], 1)
    assert await alarms.scalar("select count(*) from timers") == 0


async def test_the_event_says_which_timer_led_to_it(alarms: Alarms) -> None:
    await alarms.set("known", NOW)
    await alarms.deliver()
    await runner(alarms.handler).fire_due()
    first = await alarms.scalar("select event_id::text from events where version = 1")
    metadata = Metadata.decode(await alarms.scalar("select metadata from events where version = 2"))
    assert (str(metadata.causation_id), metadata.actor) == (first, SYSTEM)


async def rebuilt_while_firing(alarms: Alarms, guards: str) -> int:
    """How many rings a rebuild adds when timers fire while it reads, an event at a time."""
    for n in range(20):
        await alarms.set(n, NOW - n * MINUTE)
    await alarms.deliver()
    await runner(alarms.handler).fire_due()
    before = len(await alarms.rang())
    await rebuild_timers(alarms.engine)
    assert await alarms.deliver(most=1, again=True)
    await runner(alarms.handler, guards).fire_due()
    while await alarms.deliver(most=1):
        await runner(alarms.handler, guards).fire_due()
    assert await alarms.scalar("select count(*) from timers") == 0
    return len(await alarms.rang()) - before


async def test_a_rebuild_fires_nothing_again(alarms: Alarms) -> None:
    assert await rebuilt_while_firing(alarms, "all") == 0


async def test_what_has_fired_and_is_set_again_by_a_rebuild_is_spent(alarms: Alarms) -> None:
    await alarms.set("fired", NOW)
    await alarms.deliver()
    firing = runner(alarms.handler)
    await firing.fire_due()
    await rebuild_timers(alarms.engine)
    await alarms.deliver(most=1, again=True)  # the event that cancels it is not read yet
    await firing.fire_due()
    assert (firing.counts.fired, firing.counts.spent) == (1, 1)
    assert await alarms.scalar("select count(*) from timers") == 0


async def test_without_the_key_a_rebuild_fires_again_what_does_not_know_that_it_fired(alarms: Alarms) -> None:
    """Negative control: a timer of the past is due before the event is read that cancels it."""
    doubled = await rebuilt_while_firing(alarms, "without lock and key")
    print(f"without the key a rebuild fired {doubled} of 20 timers again")
    assert doubled == 20


async def test_a_timer_that_fails_is_parked_with_its_cause_and_holds_up_no_other(alarms: Alarms) -> None:
    poisoned = await alarms.set("poisoned", NOW - MINUTE)
    for n in range(5):
        await alarms.set(n, NOW)
    await alarms.deliver()

    async def fragile(decision: Decision, timer: DueTimer) -> None:
        if timer.stream_id == poisoned:
            raise ValueError("this bell is broken")
        await ring(decision, timer)

    firing = TimerRunner(alarms.handler, replace(ALARMS, fire={RING: fragile}), lambda: NOW)
    for _ in range(ATTEMPTS):
        await firing.fire_due()
        await let_retries_pass(alarms)
    await firing.fire_due()
    assert (firing.counts.fired, firing.counts.failed) == (5, ATTEMPTS)
    (failed,) = await failed_timers(alarms.engine)
    assert (failed.attempts, failed.parked_at is not None) == (ATTEMPTS, True)
    assert "this bell is broken" in failed.cause
    assert (await timer_status(alarms.engine, NOW + MINUTE)).parked == 1

    assert not await retry(alarms.engine, RING, "alarm-of-somebody-else")
    assert await retry(alarms.engine, failed.name, failed.stream)
    await runner(alarms.handler).fire_due()
    assert len(await alarms.rang()) == 6
    assert await failed_timers(alarms.engine) == []


async def test_a_timer_about_somebody_who_was_erased_is_gone(alarms: Alarms) -> None:
    await alarms.set("erased", NOW)
    await alarms.deliver()

    async def about_the_erased(_decision: Decision, _timer: DueTimer) -> None:
        raise SubjectErased("their key was deleted")

    firing = TimerRunner(alarms.handler, replace(ALARMS, fire={RING: about_the_erased}), lambda: NOW)
    await firing.fire_due()
    assert (firing.counts.spent, firing.counts.failed) == (1, 0)
    assert await alarms.scalar("select count(*) from timers") == 0


async def test_the_cause_of_a_failed_timer_does_not_repeat_what_people_wrote(alarms: Alarms) -> None:
    written = {"due_at": "her secret"}
    await alarms.set("private", NOW)
    await alarms.deliver()

    async def refused(_decision: Decision, _timer: DueTimer) -> None:
        AlarmSet.model_validate(written)

    await TimerRunner(alarms.handler, replace(ALARMS, fire={RING: refused}), lambda: NOW).fire_due()
    (failed,) = await failed_timers(alarms.engine)
    assert "due_at" in failed.cause
    assert "her secret" not in failed.cause


async def test_a_conflict_is_no_fault_of_the_timer(alarms: Alarms) -> None:
    await alarms.set("contended", NOW)
    await alarms.deliver()

    async def contended(_decision: Decision, timer: DueTimer) -> None:
        raise Conflict(timer.stream)

    await TimerRunner(alarms.handler, replace(ALARMS, fire={RING: contended}), lambda: NOW).fire_due()
    assert await failed_timers(alarms.engine) == []
    await let_retries_pass(alarms)
    await runner(alarms.handler).fire_due()
    assert len(await alarms.rang()) == 1


async def test_a_timer_of_another_version_of_the_service_is_left_alone(alarms: Alarms) -> None:
    await alarms.set("known", NOW)
    await alarms.deliver()
    await TimerRunner(alarms.handler, replace(ALARMS, fire={}), lambda: NOW).fire_due()
    assert (await timer_status(alarms.engine, NOW)).pending == 1


@pytest.mark.parametrize(
    ("zone", "begins", "ends"),
    [
        ("UTC", "2026-10-25T00:00:00+00:00", "2026-10-26T00:00:00+00:00"),
        ("Europe/Berlin", "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),  # a day of 25 hours
        ("Pacific/Auckland", "2026-10-24T11:00:00+00:00", "2026-10-25T11:00:00+00:00"),
    ],
)
def test_a_day_begins_and_ends_by_the_calendar_of_its_zone(zone: str, begins: str, ends: str) -> None:
    day = date(2026, 10, 25)
    assert start_of_day(day, ZoneInfo(zone)) == datetime.fromisoformat(begins)
    assert end_of_day(day, ZoneInfo(zone)) == datetime.fromisoformat(ends)


def test_a_day_at_the_end_of_the_calendar_has_no_timer() -> None:
    assert end_of_day(date.max, ZoneInfo("UTC")) is None
    assert start_of_day(date.min, ZoneInfo("Asia/Tokyo")) is None
