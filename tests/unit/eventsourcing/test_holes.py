"""How long a hole is waited for before its partition is stopped."""

import time

import pytest
from aiokafka.structs import TopicPartition

from shared.eventsourcing.holes import Holes, Verdict

TP = TopicPartition("goals.events", 3)


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def verdicts(holes: Holes, clock: Clock, *, seconds: int, read_up_to: int = 100) -> list[Verdict]:
    """What is done about the hole behind position 7, second after second."""
    found: list[Verdict] = []
    for _ in range(seconds):
        clock.now += 1
        if (verdict := holes.judge(TP, position=7, read_up_to=read_up_to)) is not Verdict.NOTHING:
            found.append(verdict)
    return found


def test_a_hole_is_looked_for_twice_and_then_given_half_a_minute(clock: Clock) -> None:
    holes = Holes(seconds=3)
    holes.seen(TP, position=7, offset=50)
    assert verdicts(holes, clock, seconds=6) == [Verdict.FROM_CHECKPOINT, Verdict.FROM_BEGINNING]
    assert verdicts(holes, clock, seconds=29) == []
    assert verdicts(holes, clock, seconds=1) == [Verdict.STOP]


def test_while_a_relay_fills_the_topic_the_partition_is_not_stopped(clock: Clock) -> None:
    """Records that were applied before come again, at offsets that were never read before."""
    holes = Holes(seconds=3)
    holes.seen(TP, position=7, offset=50)
    verdicts(holes, clock, seconds=6)
    for offset in range(51, 60):
        assert verdicts(holes, clock, seconds=29) == []
        holes.sent_again(TP, offset=offset)
    assert verdicts(holes, clock, seconds=30) == [Verdict.STOP]


def test_reading_the_same_records_again_wins_no_time(clock: Clock) -> None:
    holes = Holes(seconds=3)
    holes.seen(TP, position=7, offset=50)
    verdicts(holes, clock, seconds=6)
    verdicts(holes, clock, seconds=29)
    holes.sent_again(TP, offset=50)
    assert verdicts(holes, clock, seconds=1) == [Verdict.STOP]


def test_a_search_that_is_not_back_where_the_hole_was_seen_goes_on(clock: Clock) -> None:
    holes = Holes(seconds=3)
    holes.seen(TP, position=7, offset=50)
    assert verdicts(holes, clock, seconds=60, read_up_to=50) == [Verdict.FROM_CHECKPOINT]


def test_a_position_that_moved_on_is_no_hole(clock: Clock) -> None:
    holes = Holes(seconds=3)
    holes.seen(TP, position=7, offset=50)
    clock.now += 60
    assert holes.judge(TP, position=8, read_up_to=100) is Verdict.NOTHING
    assert not holes.has(TP)
