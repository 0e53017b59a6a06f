"""The completeness proof: the same count and checksum whatever was sent again, and no loss goes unnoticed."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from consumers.analytics.tally import FeedTally
from shared.schemas.envelope import from_headers
from tests.unit.consumers.analytics.chains import Published, event, mark, partition, tallied

logs = st.lists(st.integers(1, 1000), min_size=1, max_size=12, unique=True).map(sorted)


def test_a_whole_partition_is_counted_and_unbroken() -> None:
    tally = tallied([*partition([3, 7, 20]), mark(20)])
    assert (tally.events, tally.duplicates, tally.broken, tally.logs) == (3, 0, None, 1)


def test_the_checksum_is_what_whoever_holds_the_events_computes() -> None:
    records = partition([3, 7, 20])
    expected = hashlib.sha256()
    for position, record in zip([3, 7, 20], records, strict=True):
        expected.update(position.to_bytes(16) + hashlib.sha256(record.value or b"").digest())
    assert tallied(records).checksum == expected.hexdigest()


def test_an_empty_partition_is_whole() -> None:
    assert tallied([]).broken is None
    assert tallied([mark(0)]).broken is None


@given(positions=logs, attempts=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6))
def test_what_a_failing_relay_sends_again_changes_nothing(
    positions: list[int], attempts: list[tuple[int, int]]
) -> None:
    """A relay that fails goes back to its checkpoint, as often as it likes, and marks may stand between."""
    records, sent, reached = partition(positions), list[Published](), 0
    for forth, back in attempts:
        sent += records[reached : reached + forth]
        reached = min(reached + forth, len(records))
        if reached:
            sent.append(mark(positions[reached - 1]))
        reached = max(reached - back, 0)
    sent += records[reached:]
    once, again = tallied(records), tallied(sent)
    assert (again.events, again.checksum, again.broken) == (once.events, once.checksum, None)


@given(positions=logs, data=st.data())
def test_a_lost_event_is_noticed_and_healed_by_sending_it_again(positions: list[int], data: st.DataObject) -> None:
    records = partition(positions)
    lost = data.draw(st.integers(0, len(records) - 1))
    left = [*records[:lost], *records[lost + 1 :], mark(positions[-1])]
    before = positions[lost - 1] if lost else 0
    assert tallied(left).broken == f"events are missing between positions {before} and {positions[-1]}"
    healed = tallied([*left, *records[lost:]])
    assert (healed.broken, healed.events, healed.checksum) == (None, len(records), tallied(records).checksum)


def test_another_event_at_a_position_changes_the_checksum() -> None:
    records = partition([1, 2])
    forged = [records[0], Published(records[1].headers, b"{}")]
    assert tallied(forged).checksum != tallied(records).checksum


def test_a_chain_that_leads_elsewhere_is_forked() -> None:
    assert tallied([*partition([1, 5]), event(6, 4)]).broken == "forked at position 5"


def test_a_younger_log_replaces_the_older_one_and_what_still_comes_of_it_is_skipped() -> None:
    older, younger = partition([1, 2, 3]), partition([1, 2], log=2)
    tally = tallied([*older, *younger, older[2]])
    assert (tally.events, tally.logs, tally.duplicates, tally.broken) == (2, 2, 1, None)
    assert tally.checksum == tallied(younger).checksum


def test_what_is_no_event_is_counted_apart() -> None:
    tally = tallied([*partition([1]), Published([("ce_id", b"\xff")], b"junk"), mark(1)])
    assert (tally.events, tally.no_events, tally.broken) == (1, 1, None)


def test_the_envelopes_of_these_tests_are_real() -> None:
    assert from_headers(event(2, 1).headers) == from_headers(partition([1, 2])[1].headers)


def test_a_feed_is_counted_with_keys_and_tombstones() -> None:
    first, second = FeedTally(), FeedTally()
    first.take(Published([], b"a", b"key"))
    second.take(Published([], None, b"key"))
    assert (first.events, second.events) == (1, 1)
    assert first.checksum != second.checksum
