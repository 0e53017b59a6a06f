"""Payroll reads by the chain rule: duplicates skipped, holes waited for, a forked log refused."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from consumers.payroll.books import Books, Checkpoint
from consumers.payroll.reading import Reading
from tests.unit.consumers.payroll.instructions import LOG, Chain, Published, at, instruction, instructions

TOPIC = "rewards.events"


@pytest.fixture
def reading(books: Books) -> Reading:
    """One whose holes are judged at once."""
    return Reading(books, TOPIC, hole_seconds=0)


def take(reading: Reading, *records: Published) -> None:
    reading.take(0, records)


def checkpoint(reading: Reading) -> Checkpoint:
    with reading.books.transaction():
        return reading.books.checkpoint(TOPIC, 0)


def received(reading: Reading) -> int:
    return reading.books.figures().instructions


def test_records_in_order_are_applied_and_the_checkpoint_moves(reading: Reading) -> None:
    chain = Chain()
    take(reading, chain.instruction(1), chain.other(), chain.instruction(2), chain.mark())
    assert received(reading) == 2
    assert checkpoint(reading) == Checkpoint(LOG, 5, 4)


def test_what_is_sent_again_is_skipped(reading: Reading) -> None:
    records = list(instructions(Chain(), 3))
    take(reading, *records)
    take(reading, *(at(3 + n, record) for n, record in enumerate(records)))
    assert received(reading) == 3
    assert checkpoint(reading) == Checkpoint(LOG, 3, 6)


def test_nothing_behind_a_hole_is_applied_until_it_is_filled(reading: Reading) -> None:
    first, second, third = instructions(Chain(), 3)
    take(reading, first, at(1, third))
    assert (received(reading), checkpoint(reading)) == (1, Checkpoint(LOG, 1, 1))
    take(reading, at(2, second), at(3, third))
    assert (received(reading), checkpoint(reading)) == (3, Checkpoint(LOG, 3, 4))
    assert reading.look() == {}


def test_while_records_are_missing_the_place_to_read_on_stays_before_them(reading: Reading) -> None:
    first, _, third = instructions(Chain(), 3)
    take(reading, first, at(1, third), at(2, first))
    assert checkpoint(reading) == Checkpoint(LOG, 1, 1)


def test_a_lost_tail_is_noticed_by_the_mark(reading: Reading) -> None:
    chain = Chain()
    take(reading, chain.instruction(1))
    chain.instruction(2)
    take(reading, chain.mark())
    assert reading.look() == {0: 1}


def test_a_hole_is_read_again_from_the_checkpoint_then_from_the_beginning_then_stops_loudly(reading: Reading) -> None:
    first, _, third = instructions(Chain(), 3)
    take(reading, first)
    for expected in ({0: 1}, {0: 0}, {}):
        take(reading, at(1, third))
        assert reading.look() == expected
    assert reading.stopped == {0: "records after position 1 are missing from the topic"}
    take(reading, at(2, third))
    assert received(reading) == 1


def test_a_hole_is_given_time(books: Books) -> None:
    patient = Reading(books, TOPIC, hole_seconds=60)
    first, _, third = instructions(Chain(), 3)
    take(patient, first, at(1, third))
    assert (patient.look(), patient.stopped) == ({}, {})


def test_a_younger_log_stops_the_partition_until_payroll_is_told_to_follow(reading: Reading) -> None:
    take(reading, *instructions(Chain(), 2))
    younger = list(instructions(Chain(log_id=UUID(int=8)), 2))
    take(reading, *(at(2 + n, record) for n, record in enumerate(younger)))
    assert "the log has forked at offset 2" in reading.stopped[0]
    with reading.books.transaction():
        reading.books.follow_new_log()
    following = Reading(reading.books, TOPIC)
    take(following, *younger)
    assert (received(following), following.stopped) == (2, {})
    assert following.books.figures().unpublished == 2


def test_an_older_log_is_skipped(reading: Reading) -> None:
    take(reading, *instructions(Chain(), 2))
    take(reading, *(at(2 + n, record) for n, record in enumerate(instructions(Chain(log_id=UUID(int=6)), 5))))
    assert (received(reading), reading.stopped) == (2, {})


def test_one_log_that_contradicts_itself_stops_the_partition(reading: Reading) -> None:
    chain = Chain()
    take(reading, *instructions(chain, 2))
    chain.position = 1
    take(reading, at(2, chain.record(instruction(9), "payment-x", skipped=5)))
    assert 0 in reading.stopped


@pytest.mark.parametrize("headers", [[], [("ce_type", b"\xff")], [("ce_type", b"x")]])
def test_a_record_without_an_envelope_is_parked_alone(reading: Reading, headers: Sequence[tuple[str, bytes]]) -> None:
    first, second = instructions(Chain(), 2)
    take(reading, first, Published(1, list(headers), b"?"), at(2, second))
    assert (received(reading), reading.books.figures().dead_letters) == (2, 1)


def test_an_instruction_that_is_none_is_parked_with_a_word_and_the_chain_goes_on(
    reading: Reading, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = instructions(Chain(), 3)
    take(reading, first, replace(second, value=b"{}"), third)
    assert [line.split(":")[0] for line in caplog.messages] == [
        "rewards.events/0 at 1 cannot be read (ValidationError)"
    ]
    assert (received(reading), reading.books.figures().dead_letters) == (2, 1)
    assert checkpoint(reading) == Checkpoint(LOG, 3, 3)


def test_a_topic_that_ends_before_the_checkpoint_was_emptied(reading: Reading) -> None:
    take(reading, *instructions(Chain(), 3))
    assert reading.start(0, 3) == 3
    assert reading.start(0, 2) == 0
