"""A reward: proposed after a review, approved by somebody else, granted when payroll has paid it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from pydantic import Field

from services.rewards.domain.merit_increase import Coverage, Pay, merit_award, proration
from services.rewards.domain.merit_matrix import normalised
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.event import Event
from shared.schemas.identifiers import PaymentId, PersonId, ReviewCycleId, ReviewId, RewardProgramId
from shared.schemas.rewards import (
    Approval,
    Award,
    RewardAdjusted,
    RewardApproved,
    RewardGranted,
    RewardNotProposed,
    RewardProgramOpened,
    RewardProposed,
    RewardRejected,
)
from shared.schemas.values import DecimalString, ReasonCode, ShortText


class ProposeMerit(Command):
    """A completed review, with what the handler read: the program's terms (none: not open), pay, employment.

    Pay may be missing only where no program asks for it.
    """

    review: ReviewId
    cycle: ReviewCycleId
    person: PersonId
    nominated_by: PersonId | None
    rating: DecimalString | None
    scale: tuple[DecimalString, DecimalString]
    program_id: RewardProgramId
    program: RewardProgramOpened | None
    pay: Pay | None
    employed_from: date
    employed_until: date | None


class AdjustRewardBody(RequestBody):
    percent: DecimalString = Field(description="0-100, within the guideline's minimum and maximum.", examples=["3.5"])
    reason: ReasonCode = Field(examples=["vacancy-carried"])


class AdjustReward(AdjustRewardBody, Command):
    """With the program's terms and the person's pay as the handler read them."""

    program: RewardProgramOpened
    pay: Pay


class ApproveReward(Command):
    """`payment` is the reward's one payment, `role` what the approver acts as."""

    payment: PaymentId
    role: ShortText


class RejectRewardBody(RequestBody):
    reason: ReasonCode = Field(examples=["proposed-twice"])


class RejectReward(RejectRewardBody, Command): ...


class GrantReward(Command):
    paid_on: date


RewardCommand = ProposeMerit | AdjustReward | ApproveReward | RejectReward | GrantReward


@dataclass(frozen=True, slots=True)
class NotConsidered: ...


@dataclass(frozen=True, slots=True)
class NotProposed:
    reason: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """`duties` are the persons who proposed, nominated or adjusted."""

    proposal: RewardProposed
    award: Award
    duties: frozenset[PersonId]


@dataclass(frozen=True, slots=True)
class Approved:
    """`award` is what was approved, after all adjustments."""

    proposal: RewardProposed
    award: Award
    approved: RewardApproved


@dataclass(frozen=True, slots=True)
class Refused:
    proposal: RewardProposed


@dataclass(frozen=True, slots=True)
class Granted:
    proposal: RewardProposed
    approved: RewardApproved


Reward = NotConsidered | NotProposed | Proposed | Approved | Refused | Granted


def evolve(reward: Reward, event: Event) -> Reward:
    match reward, event:
        case NotConsidered(), RewardNotProposed():
            return NotProposed(event.reason)
        case NotConsidered(), RewardProposed():
            duties = {event.proposed_by, event.nominated_by or event.proposed_by}
            return Proposed(event, event.award, frozenset(duties))
        case Proposed(), RewardAdjusted():
            return replace(reward, award=event.award, duties=reward.duties | {event.adjusted_by})
        case Proposed(), RewardApproved():
            return Approved(reward.proposal, reward.award, event)
        case Proposed(), RewardRejected():
            return Refused(reward.proposal)
        case Approved(), RewardGranted():
            return Granted(reward.proposal, reward.approved)
        case _:
            return reward


def decide(reward: Reward, command: RewardCommand) -> Sequence[Event]:
    match command:
        case ProposeMerit():
            return _propose(reward, command)
        case AdjustReward():
            return _adjust(reward, command)
        case ApproveReward():
            return _approve(reward, command)
        case RejectReward():
            return _reject(reward, command)
        case GrantReward():
            return _grant(reward, command)


def _propose(reward: Reward, command: ProposeMerit) -> Sequence[Event]:
    """Either way an event: a review that leads to no reward says why."""
    if not isinstance(reward, NotConsidered):
        return []
    try:
        return [_proposal(command, _open(command.program), _known(command.pay))]
    except Rejected as rejected:
        reason = rejected.rule
    return [RewardNotProposed(person=command.person, review=command.review, cycle=command.cycle, reason=reason)]


def _open(program: RewardProgramOpened | None) -> RewardProgramOpened:
    if program is None:
        raise Rejected("no-open-program")
    return program


def _known(pay: Pay | None) -> Pay:
    if pay is None:
        raise Rejected("compensation-must-be-known")
    return pay


def _proposal(command: ProposeMerit, program: RewardProgramOpened, pay: Pay) -> RewardProposed:
    period = Coverage(program.coverage_start, program.coverage_end)
    covered = period.within(command.employed_from, command.employed_until)
    matrix_scale = (program.matrix.scale_minimum, program.matrix.scale_maximum)
    rating = None if command.rating is None else normalised(command.rating, command.scale, matrix_scale)
    return RewardProposed(
        program=command.program_id,
        pool=program.pool,
        cycle=command.cycle,
        review=command.review,
        kind=program.kind,
        person=command.person,
        proposed_by=command.by,
        nominated_by=command.nominated_by,
        rating=rating,
        award=_award(program, pay, rating=rating, covered=covered, percent=None),
        compensation_revision=pay.revision,
        effective_on=program.effective_on,
        coverage_start=covered.start,
        coverage_end=covered.end,
        policy_version=program.policy_version,
    )


def _award(
    program: RewardProgramOpened, pay: Pay, *, rating: Decimal | None, covered: Coverage, percent: Decimal | None
) -> Award:
    if pay.base_salary.currency != program.currency:
        raise Rejected("currency-must-match-the-pool", currency=pay.base_salary.currency, expected=program.currency)
    prorated = proration(covered, Coverage(program.coverage_start, program.coverage_end))
    award = merit_award(program.matrix, pay, rating=rating, percent=percent, prorated=prorated)
    if award.amount.minor == 0:
        raise Rejected("nothing-to-award", percent=award.percent)
    return award


def _adjust(reward: Reward, command: AdjustReward) -> Sequence[Event]:
    proposed = _proposed(reward)
    proposal = proposed.proposal
    if command.by == proposal.person:
        raise Rejected("adjuster-must-not-be-the-beneficiary", person=command.by)
    if command.percent == proposed.award.percent:
        return []
    covered = Coverage(proposal.coverage_start, proposal.coverage_end)
    award = _award(command.program, command.pay, rating=proposal.rating, covered=covered, percent=command.percent)
    revision = command.pay.revision
    return [RewardAdjusted(adjusted_by=command.by, award=award, compensation_revision=revision, reason=command.reason)]


def _proposed(reward: Reward) -> Proposed:
    if not isinstance(reward, Proposed):
        raise Rejected("reward-is-not-proposed", state=type(reward).__name__)
    return reward


def _approve(reward: Reward, command: ApproveReward) -> Sequence[Event]:
    if isinstance(reward, Approved | Granted) and reward.approved.approval.who == command.by:
        return []
    proposed = _proposed(reward)
    if command.by == proposed.proposal.person:
        raise Rejected("approver-must-not-be-the-beneficiary", person=command.by)
    if command.by in proposed.duties:
        raise Rejected("approver-must-not-be-the-proposer", person=command.by)
    version = proposed.proposal.policy_version
    return [
        RewardApproved(
            person=proposed.proposal.person,
            amount=proposed.award.amount,
            approval=Approval(who=command.by, role=command.role, at=command.at, policy_version=version),
            payment=command.payment,
        )
    ]


def _reject(reward: Reward, command: RejectReward) -> Sequence[Event]:
    if isinstance(reward, Refused):
        return []
    if command.by == _proposed(reward).proposal.person:
        raise Rejected("rejecter-must-not-be-the-beneficiary", person=command.by)
    return [RewardRejected(rejected_by=command.by, reason=command.reason)]


def _grant(reward: Reward, command: GrantReward) -> Sequence[Event]:
    match reward:
        case Granted():
            return []
        case Approved():
            return [RewardGranted(payment=reward.approved.payment, paid_on=command.paid_on)]
        case _:
            raise Rejected("reward-is-not-approved", state=type(reward).__name__)


REWARD: Final[Decider[Reward]] = Decider(category="reward", initial=NotConsidered(), decide=decide, evolve=evolve)
