"""Rules of a reward: a review leads to a proposal or to a reason, and three different people deal with it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.rewards.domain.reward import (
    REWARD,
    AdjustReward,
    ApproveReward,
    GrantReward,
    ProposeMerit,
    RejectReward,
    RewardCommand,
)
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import Event, encode
from shared.schemas.identifiers import SYSTEM, PersonId
from shared.schemas.money import Money
from shared.schemas.rewards import TYPES, RewardAdjusted, RewardApproved, RewardProposed
from tests.spec import given
from tests.unit.services.rewards.examples import (
    ANN,
    CYCLE,
    HR,
    MANAGER,
    NOW,
    PAY,
    PAYMENT_ID,
    PROGRAM,
    REVIEW,
    adjusted,
    amounts,
    approved,
    granted,
    not_proposed,
    persons,
    program_opened,
    proposed,
    rejected,
    usd,
)

propose = ProposeMerit(
    review=REVIEW,
    cycle=CYCLE,
    person=ANN,
    nominated_by=MANAGER,
    rating=Decimal("3.40"),
    scale=(Decimal(1), Decimal(5)),
    program_id=PROGRAM,
    program=program_opened,
    pay=PAY,
    employed_from=date(2020, 5, 1),
    employed_until=None,
    at=NOW,
    by=SYSTEM,
)
adjust = AdjustReward(
    percent=Decimal("4.5"),
    reason="vacancy-carried",
    program=program_opened,
    pay=PAY,
    at=NOW,
    by=MANAGER,
)
reject = RejectReward(reason="duplicate", at=NOW, by=HR)
grant = GrantReward(paid_on=date(2026, 2, 27), at=NOW, by=SYSTEM)


def approve(by: PersonId) -> ApproveReward:
    return ApproveReward(payment=PAYMENT_ID, role="hr", at=NOW, by=by)


def test_a_completed_review_leads_to_the_guidelines_default() -> None:
    given(REWARD).when(propose).then(proposed)


def test_a_review_is_considered_once() -> None:
    given(REWARD, proposed).when(propose).then_nothing()
    given(REWARD, not_proposed).when(propose).then_nothing()


def test_without_an_open_program_there_is_no_reward_but_a_reason() -> None:
    given(REWARD).when(propose.model_copy(update={"program": None})).then(not_proposed)


def test_an_unrated_review_leads_to_nothing() -> None:
    given(REWARD).when(propose.model_copy(update={"rating": None})).then(
        not_proposed.model_copy(update={"reason": "nothing-to-award"})
    )


def test_pay_in_another_currency_than_the_pools_leads_to_nothing() -> None:
    euros = replace(
        PAY,
        base_salary=Money.from_minor(6_000_000, "EUR"),
        range_minimum=Money.from_minor(5_000_000, "EUR"),
        range_maximum=Money.from_minor(8_000_000, "EUR"),
    )
    given(REWARD).when(propose.model_copy(update={"pay": euros})).then(
        not_proposed.model_copy(update={"reason": "currency-must-match-the-pool"})
    )


def test_who_was_hired_after_the_period_gets_nothing() -> None:
    given(REWARD).when(propose.model_copy(update={"employed_from": date(2026, 1, 2)})).then(
        not_proposed.model_copy(update={"reason": "not-employed-in-the-period"})
    )


def test_who_was_hired_within_the_period_is_prorated() -> None:
    state = REWARD.fold([])
    [event] = REWARD.decide(state, propose.model_copy(update={"employed_from": date(2025, 7, 2)}))
    assert event.model_dump(include={"coverage_start", "award"})["coverage_start"] == date(2025, 7, 2)
    assert event.model_dump(mode="json")["award"]["amount"]["amount"] == "902.52"


def test_a_rating_on_another_scale_is_carried_over() -> None:
    wider = propose.model_copy(update={"rating": Decimal("60.0"), "scale": (Decimal(0), Decimal(100))})
    given(REWARD).when(wider).then(proposed)


def test_a_rating_outside_its_scale_leads_to_nothing() -> None:
    given(REWARD).when(propose.model_copy(update={"rating": Decimal(6)})).then(
        not_proposed.model_copy(update={"reason": "rating-outside-the-scale"})
    )


def test_a_proposal_is_adjusted_within_the_limits() -> None:
    given(REWARD, proposed).when(adjust).then(adjusted)


def test_a_proposal_is_not_adjusted_beyond_the_limits() -> None:
    given(REWARD, proposed).when(adjust.model_copy(update={"percent": Decimal("5.1")})).then_rejected(
        "merit-percent-must-be-within-the-limits", maximum=Decimal(5)
    )


def test_nobody_adjusts_their_own_reward() -> None:
    given(REWARD, proposed).when(adjust.model_copy(update={"by": ANN})).then_rejected(
        "adjuster-must-not-be-the-beneficiary"
    )


def test_somebody_else_approves() -> None:
    given(REWARD, proposed).when(approve(HR)).then(approved)


def test_the_adjusted_amount_is_approved() -> None:
    given(REWARD, proposed, adjusted).when(approve(HR)).then(approved.model_copy(update={"amount": usd("2700.00")}))


def test_the_beneficiary_does_not_approve() -> None:
    given(REWARD, proposed).when(approve(ANN)).then_rejected("approver-must-not-be-the-beneficiary", person=ANN)


@pytest.mark.parametrize("proposer", [SYSTEM, MANAGER])
def test_neither_who_proposed_nor_who_nominated_approves(proposer: PersonId) -> None:
    given(REWARD, proposed).when(approve(proposer)).then_rejected("approver-must-not-be-the-proposer", person=proposer)


def test_who_adjusted_does_not_approve() -> None:
    by_hr = adjusted.model_copy(update={"adjusted_by": HR})
    given(REWARD, proposed, by_hr).when(approve(HR)).then_rejected("approver-must-not-be-the-proposer", person=HR)


def test_approving_again_changes_nothing() -> None:
    given(REWARD, proposed, approved).when(approve(HR)).then_nothing()


def test_what_was_decided_is_not_decided_again_by_another() -> None:
    given(REWARD, proposed, approved).when(approve(MANAGER)).then_rejected("reward-is-not-proposed")
    given(REWARD, proposed, approved).when(reject).then_rejected("reward-is-not-proposed")
    given(REWARD, proposed, rejected).when(approve(HR)).then_rejected("reward-is-not-proposed")
    given(REWARD, proposed, approved).when(adjust).then_rejected("reward-is-not-proposed")


def test_a_reward_is_rejected_with_a_reason_once() -> None:
    given(REWARD, proposed).when(reject).then(rejected)
    given(REWARD, proposed, rejected).when(reject).then_nothing()


def test_nobody_rejects_what_they_would_gain_themselves() -> None:
    own = RejectReward(reason="declined", at=NOW, by=proposed.person)
    given(REWARD, proposed).when(own).then_rejected("rejecter-must-not-be-the-beneficiary", person=proposed.person)


def test_a_reward_that_was_never_proposed_is_neither_approved_nor_rejected() -> None:
    given(REWARD).when(approve(HR)).then_rejected("reward-is-not-proposed")
    given(REWARD, not_proposed).when(reject).then_rejected("reward-is-not-proposed")


def test_a_reward_is_granted_when_it_is_paid() -> None:
    given(REWARD, proposed, approved).when(grant).then(granted)
    given(REWARD, proposed, approved, granted).when(grant).then_nothing()


def test_a_reward_that_was_not_approved_is_not_granted() -> None:
    given(REWARD, proposed).when(grant).then_rejected("reward-is-not-approved")


def proposal(by: PersonId) -> RewardProposed:
    return proposed.model_copy(update={"proposed_by": by, "nominated_by": None})


def approval_of(amount: Money) -> RewardApproved:
    return approved.model_copy(update={"amount": amount})


events = st.one_of(
    st.sampled_from([not_proposed, adjusted, rejected, granted]),
    st.builds(proposal, persons),
    st.builds(approval_of, amounts),
)
commands = st.one_of(
    st.sampled_from([propose, adjust, reject, grant]),
    st.builds(approve, persons),
)


@for_all(events)
def test_events_survive_storage(event: Event) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert isinstance(read, Event)
    assert encode(read) == stored


@for_all(st.lists(events, max_size=8))
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    REWARD.fold(history)


@for_all(st.lists(events, max_size=6), commands)
def test_deciding_twice_adds_nothing(history: list[Event], command: RewardCommand) -> None:
    state = REWARD.fold(history)
    try:
        state = REWARD.fold(REWARD.decide(state, command), state)
    except Rejected:
        return
    assert list(REWARD.decide(state, command)) == []


@for_all(st.lists(commands, max_size=8))
def test_no_sequence_of_commands_lets_two_duties_meet(sequence: list[RewardCommand]) -> None:
    history: list[Event] = [proposed]
    for command in sequence:
        try:
            history.extend(REWARD.decide(REWARD.fold(history), command))
        except Rejected:
            continue
    duties = {SYSTEM, MANAGER, ANN} | {event.adjusted_by for event in history if isinstance(event, RewardAdjusted)}
    approvers = {event.approval.who for event in history if isinstance(event, RewardApproved)}
    assert not duties & approvers
