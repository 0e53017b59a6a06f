"""The proof itself: each of its checks turns red where something is lost, doubled or altered."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.schemas.identifiers import SYSTEM
from shared.schemas.reviews import ReviewCompleted
from shared.schemas.rewards import PaymentAnswered, PaymentInstructionIssued, RewardGranted, RewardNotProposed
from tests.chaos.windows import NO_FAULT, Window, Windows
from tests.chaos.witness import judged
from tests.e2e.acknowledged import audit
from tests.e2e.paid import Paid, every_instruction_is_paid_once
from tests.e2e.published import follow, kafka_holds
from tests.e2e.reacted import every_answer_is_recorded_once, every_review_is_considered_once
from tests.e2e.stored import EventLog, StoredEvent, streams_are_whole

GOAL, REVIEW = "goal-1", "review-2"
ISSUED = {"payment_id": "p", "amount": {"amount": "12.50", "currency": "USD"}}


def stored(position: int, stream: str, version: int, **metadata: str) -> StoredEvent:
    metadata = {"actor": "anna", "command_id": f"command-{position}", **metadata}
    return StoredEvent(
        position, stream, version, f"event-{position}", "Happened", f'{{"n":{position}}}', metadata, None
    )


LOG = EventLog("goals", [stored(1, GOAL, 1), stored(2, REVIEW, 1), stored(4, GOAL, 2)], {GOAL: 2, REVIEW: 1})


@dataclass(frozen=True)
class Record:
    headers: list[tuple[str, bytes]]
    value: bytes


def record(event: StoredEvent, previous: int) -> Record:
    headers = {
        "ce_type": event.type,
        "ce_position": event.position,
        "ce_previousposition": previous,
        "ce_id": event.event_id,
        "ce_subject": event.stream,
        "ce_sequence": event.version,
    }
    return Record([(name, str(value).encode()) for name, value in headers.items()], event.data.encode())


FIRST, OTHER, LAST = record(LOG.events[0], 0), record(LOG.events[1], 0), record(LOG.events[2], 1)


def test_whole_streams_pass_and_a_gap_or_a_missing_tail_does_not() -> None:
    streams_are_whole(LOG)
    for heads, events in (({GOAL: 1, REVIEW: 1}, LOG.events), (LOG.heads, LOG.events[:2]), (LOG.heads, LOG.events[1:])):
        with pytest.raises(AssertionError):
            streams_are_whole(EventLog("goals", events, heads))


@pytest.mark.parametrize("part", [[FIRST, LAST], [FIRST, FIRST, LAST, LAST], [LAST, FIRST, LAST]])
def test_a_log_that_is_in_kafka_passes_also_with_records_sent_again(part: list[Record]) -> None:
    followed = follow({0: part, 1: [OTHER]})
    kafka_holds(LOG, followed)
    assert followed.repeated == len(part) - 2


@pytest.mark.parametrize(
    "records",
    [
        {0: [FIRST], 1: [OTHER]},  # the tail is missing
        {0: [LAST], 1: [OTHER]},  # what comes before it is missing
        {0: [LAST, FIRST], 1: [OTHER]},  # it came too early and not again
        {0: [FIRST, LAST, record(stored(9, GOAL, 3), 4)], 1: [OTHER]},  # the store knows nothing of it
        {0: [FIRST, replace(LAST, value=b"{}")], 1: [OTHER]},  # other bytes
        {0: [FIRST], 1: [OTHER, record(LOG.events[2], 2)]},  # the stream left its partition
    ],
)
def test_a_log_that_kafka_does_not_hold_is_found(records: dict[int, list[Record]]) -> None:
    with pytest.raises(AssertionError):
        kafka_holds(LOG, follow(records))


def test_a_record_that_was_sent_again_with_other_bytes_is_found() -> None:
    with pytest.raises(AssertionError, match="differs from the first"):
        follow({0: [FIRST, replace(FIRST, value=b"{}")]})


def line(key: str, identity: str, version: int) -> dict[str, Any]:
    return {"key": key, "path": "/goals/v1/goals", "id": identity, "version": version, "seconds": 0.1}


JOURNAL = [line("a", "1", 1), line("b", "2", 1), line("c", "1", 2)]
KEPT = {"a": 1, "b": 2, "c": 4}


def test_what_was_acknowledged_and_stored_once_passes() -> None:
    found = audit(LOG, JOURNAL, KEPT)
    assert (found.commands, found.lost, found.doubled) == (3, [], [])


def test_a_lost_command_is_found_by_its_key_and_by_its_event() -> None:
    assert audit(LOG, JOURNAL, {"a": 1, "b": 2}).lost == ["/goals/v1/goals c"]
    assert audit(replace(LOG, events=LOG.events[:2]), JOURNAL, KEPT).lost == ["/goals/v1/goals c"]


def test_a_doubled_command_is_found_and_what_the_system_did_is_not_taken_for_one() -> None:
    by_system = stored(6, GOAL, 4, actor=str(SYSTEM), causation_id="event-1")
    log = replace(LOG, events=[*LOG.events, stored(5, GOAL, 3), by_system])
    assert audit(log, JOURNAL, KEPT).doubled == ["Happened goal-1 command command-5"]
    assert audit(log, JOURNAL, KEPT, after=5).doubled == []


def marked(key: str, outcome: str, *, identity: str = "1", version: int = 1) -> dict[str, Any]:
    """A line of a journal that says how each command ended and under which correlation id it was sent."""
    return line(key, identity, version) | {"correlation": f"asked-{key}", "outcome": outcome, "window": 7}


def answering(position: int, stream: str, version: int, key: str, **changed: str) -> StoredEvent:
    """An event that the command of this key stored."""
    event = stored(position, stream, version, correlation_id=f"asked-{key}", **changed)
    return replace(event, type=changed.get("type", "Happened"))


ASKED = EventLog("goals", [answering(1, GOAL, 1, "a"), answering(2, GOAL, 2, "b")], {GOAL: 2})


def test_commands_that_are_known_by_their_correlation_need_no_kept_key() -> None:
    journal = [marked("a", "acknowledged"), marked("b", "acknowledged", version=2), marked("c", "refused")]
    found = audit(ASKED, [*journal, marked("d", "unknown")], {})
    assert (found.commands, found.refused, found.unknown) == (2, 1, 1)
    assert (found.lost, found.doubled, found.left_behind, found.torn) == ([], [], [], [])


def test_a_command_that_is_lost_or_was_done_twice_is_found_with_its_window() -> None:
    again = replace(ASKED, events=[*ASKED.events, answering(3, GOAL, 3, "b")])
    journal = [marked("a", "acknowledged"), marked("b", "acknowledged", version=4)]
    found = audit(again, journal, {})
    assert (found.lost, found.windows_of_lost) == (["/goals/v1/goals b"], [7])
    assert (found.doubled, found.windows_of_doubled) == (["/goals/v1/goals b"], [7])


def test_what_a_refused_command_stored_is_found() -> None:
    journal = [marked("a", "refused"), marked("b", "acknowledged", version=2)]
    assert audit(ASKED, journal, {}).left_behind == ["/goals/v1/goals a"]


def test_an_unknown_command_may_be_there_whole_but_not_in_part() -> None:
    whole = [answering(n, GOAL, n, "a", command_id="one", type=f"T{n}") for n in (1, 2)]
    there = [answering(n + 2, REVIEW, n, "b", command_id="two", type=f"T{n}") for n in (1, 2)]
    journal = [marked("a", "acknowledged"), marked("b", "unknown")]
    assert audit(EventLog("goals", [*whole, *there], {}), journal, {}).torn == []
    assert audit(EventLog("goals", whole, {}), journal, {}).torn == []
    assert audit(EventLog("goals", [*whole, *there[:1]], {}), journal, {}).torn == ["/goals/v1/goals b"]


def considered(*causes: str) -> EventLog:
    events = [stored(n, f"reward-{n}", 1, causation_id=cause) for n, cause in enumerate(causes, start=1)]
    return EventLog("rewards", [replace(event, type=RewardNotProposed.event_type) for event in events], {})


COMPLETED = EventLog(
    "reviews", [replace(stored(n, f"review-{n}", 1), type=ReviewCompleted.event_type) for n in (1, 2)], {}
)


def test_reviews_that_are_considered_once_each_pass() -> None:
    assert every_review_is_considered_once(COMPLETED, considered("event-1", "event-2")) == 2


@pytest.mark.parametrize("causes", [["event-1"], ["event-1", "event-2", "event-2"], ["event-1", "event-2", "event-3"]])
def test_a_review_that_led_to_nothing_to_two_things_or_never_was_is_found(causes: list[str]) -> None:
    with pytest.raises(AssertionError):
        every_review_is_considered_once(COMPLETED, considered(*causes))


def test_an_answer_of_payroll_that_is_recorded_twice_is_found() -> None:
    answer = replace(stored(1, "payment-p", 1), type=PaymentAnswered.event_type, data='{"version":1,"answer":"paid"}')
    accepted = replace(answer, data='{"version":1,"answer":"accepted"}')
    assert every_answer_is_recorded_once(EventLog("rewards", [accepted, answer], {})) == 2
    with pytest.raises(AssertionError, match="more than once"):
        every_answer_is_recorded_once(EventLog("rewards", [answer, answer], {}))


def test_what_a_witness_was_not_given_given_twice_or_given_late_is_found() -> None:
    in_order = [(1, GOAL, 1), (2, REVIEW, 1), (4, GOAL, 2)]
    whole = judged(LOG, in_order)
    assert (whole.lost, whole.doubled, whole.disordered) == ([], [], [])
    wrong = judged(LOG, [(4, GOAL, 2), (1, GOAL, 1), (4, GOAL, 2)])
    assert ([e.position for e in wrong.lost], [e.position for e in wrong.doubled]) == ([2], [4])
    assert wrong.disordered == [GOAL]


def test_the_longest_unavailability_is_a_service_s_own_and_counts_from_the_fault_on() -> None:
    windows = Windows(
        windows=[Window(0, NO_FAULT, 0.0, 10.0), Window(1, "a fault", 10.0, 20.0), Window(2, "another", 20.0, 21.0)],
        acknowledged={"goals": [9.0, 11.0, 12.0, 18.5, 20.5], "reviews": [9.5, 13.0, 14.0, 19.0]},
    )
    assert windows.longest_unavailability("a fault") == (6.5, "goals")
    assert windows.longest_unavailability("another") == (1.0, "reviews")
    assert windows.longest_unavailability("none of this kind") == (0.0, "")


def rewards(*types: str) -> EventLog:
    event = replace(stored(1, "payment-p", 1), data=json.dumps(ISSUED))
    return EventLog("rewards", [replace(event, type=event_type) for event_type in types], {})


def test_a_payment_that_was_paid_once_passes() -> None:
    log = rewards(PaymentInstructionIssued.event_type, RewardGranted.event_type)
    assert every_instruction_is_paid_once(log, Paid({"p": (1250, "USD")}, {"p": 1})) == 1


@pytest.mark.parametrize(
    "paid",
    [
        Paid({}, {}),
        Paid({"p": (1251, "USD")}, {"p": 1}),
        Paid({"p": (1250, "USD")}, {"p": 2}),
        Paid({"p": (1250, "USD"), "q": (1, "USD")}, {"p": 1, "q": 1}),
    ],
)
def test_a_payment_that_is_missing_wrong_doubled_or_invented_is_found(paid: Paid) -> None:
    with pytest.raises(AssertionError):
        every_instruction_is_paid_once(rewards(PaymentInstructionIssued.event_type, RewardGranted.event_type), paid)


def test_a_payment_that_was_issued_twice_is_found() -> None:
    issued = PaymentInstructionIssued.event_type
    with pytest.raises(AssertionError, match="issued twice"):
        every_instruction_is_paid_once(rewards(issued, issued), Paid({"p": (1250, "USD")}, {"p": 1}))
