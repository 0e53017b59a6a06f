"""Who makes progress, who has nothing to do, and who has stopped without a word."""

from dataclasses import dataclass

import pytest
from aiokafka.structs import TopicPartition

from shared.eventsourcing.pulse import Pulse
from shared.eventsourcing.reading import Reading

A, B = TopicPartition("tally.events", 0), TopicPartition("tally.events", 1)


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    return Pulse("timers", clock=clock)


@pytest.fixture
def reading(clock: Clock) -> Reading:
    return Reading("reader tally_totals", clock=clock)


def test_a_part_that_goes_round_without_work_is_well(pulse: Pulse, clock: Clock) -> None:
    clock.passes(5)
    pulse.looked()
    assert pulse.stalled(2) is None


def test_a_part_that_does_not_go_round_is_stalled(pulse: Pulse, clock: Clock) -> None:
    clock.passes(5)
    assert pulse.stalled(2) == "timers has not gone round for 5 s"


def test_a_part_that_finishes_nothing_of_its_work_is_stalled_until_it_does(pulse: Pulse, clock: Clock) -> None:
    pulse.looked(work=True)
    clock.passes(5)
    pulse.looked(work=True)
    assert "finished none of it" in (pulse.stalled(2) or "")
    pulse.progressed()
    assert pulse.stalled(2) is None


def test_a_consumer_that_stands_still_is_stalled_and_one_that_moves_is_not(reading: Reading, clock: Clock) -> None:
    reading.standstill.look({A: 1, B: 1}, {A: 9, B: 9})
    clock.passes(5)
    reading.standstill.look({A: 2, B: 2}, {A: 9, B: 9})
    reading.pulse.looked()
    assert reading.stalled(4) is None
    clock.passes(5)
    reading.pulse.looked()
    reading.standstill.look({A: 2, B: 9}, {A: 9, B: 9})
    assert reading.stalled(4) == "reader tally_totals does not fetch records that are there"


def test_a_partition_is_given_longer_while_others_of_its_consumer_are_applied(reading: Reading, clock: Clock) -> None:
    reading.standstill.look({A: 1}, {A: 9})
    clock.passes(5)
    reading.transaction_ended()
    assert reading.stalled(4) is None
    clock.passes(20)
    reading.transaction_ended()
    assert reading.stalled(4) is not None


def test_what_was_seen_before_an_outage_says_nothing_after_it(reading: Reading, clock: Clock) -> None:
    reading.standstill.look({A: 1}, {A: 9})
    clock.passes(5)
    reading.standstill.forget()
    reading.pulse.looked()
    assert reading.stalled(4) is None


def test_a_long_slice_is_well_as_long_as_its_transactions_end(reading: Reading, clock: Clock) -> None:
    with reading.slice():
        for _ in range(3):
            clock.passes(3)
            reading.transaction_ended()
            assert reading.stalled(5) is None
        clock.passes(6)
        reading.pulse.looked()
        assert "slice in hand" in (reading.stalled(5) or "")
    assert reading.stalled(5) is None


def test_a_consumer_that_its_group_does_not_know_is_stalled(reading: Reading, clock: Clock) -> None:
    reading.member(of_its_group=False)
    clock.passes(5)
    reading.pulse.looked()
    reading.member(of_its_group=False)
    assert "no member of its consumer group" in (reading.stalled(4) or "")
    reading.member(of_its_group=True)
    assert reading.stalled(4) is None
