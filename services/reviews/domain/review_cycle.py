"""A review cycle: opened over a population under a policy, then closed; nothing happens in it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pydantic import Field

from services.reviews.domain.policy import PolicyBody, settled
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.reviews import CyclePolicy, ReviewCycleClosed, ReviewCycleOpened
from shared.schemas.values import ShortText


@dataclass(frozen=True, slots=True)
class NotOpened:
    status: str = field(default="not-opened", init=False)


@dataclass(frozen=True, slots=True)
class Open:
    """A running cycle; its reviews are opened under this policy."""

    name: str
    starts_on: date
    ends_on: date
    policy: CyclePolicy
    status: str = field(default="open", init=False)


@dataclass(frozen=True, slots=True)
class Closed:
    status: str = field(default="closed", init=False)


ReviewCycle = NotOpened | Open | Closed
ReviewCycleEvent = ReviewCycleOpened | ReviewCycleClosed


class OpenReviewCycleBody(RequestBody):
    """What is decided about a cycle before it begins."""

    name: ShortText = Field(examples=["Annual review 2026"])
    starts_on: date = Field(examples=["2026-01-01"], description="First day of the period under review.")
    ends_on: date = Field(examples=["2026-12-31"], description="Last day of the period under review.")
    policy: PolicyBody


class OpenReviewCycle(OpenReviewCycleBody, Command):
    """Begin a cycle over `population` people."""

    population: int


class CloseReviewCycleBody(RequestBody):
    """Why the cycle ends."""

    reason: ShortText = Field(examples=["all reviews completed"])


class CloseReviewCycle(CloseReviewCycleBody, Command):
    """End a cycle; what is unfinished in it stays unfinished."""


ReviewCycleCommand = OpenReviewCycle | CloseReviewCycle


def evolve(cycle: ReviewCycle, event: ReviewCycleEvent) -> ReviewCycle:
    match event:
        case ReviewCycleOpened():
            return Open(name=event.name, starts_on=event.starts_on, ends_on=event.ends_on, policy=event.policy)
        case ReviewCycleClosed():
            return Closed()
    return cycle


def decide(cycle: ReviewCycle, command: ReviewCycleCommand) -> Sequence[ReviewCycleEvent]:
    match command:
        case OpenReviewCycle():
            return open_review_cycle(cycle, command)
        case CloseReviewCycle():
            return close_review_cycle(cycle, command)


def open_review_cycle(cycle: ReviewCycle, command: OpenReviewCycle) -> Sequence[ReviewCycleEvent]:
    match cycle:
        case NotOpened():
            return [_opened(command)]
        case Open():
            raise Rejected("review-cycle-is-already-open", name=cycle.name)
        case Closed():
            raise Rejected("review-cycle-is-closed")


def close_review_cycle(cycle: ReviewCycle, command: CloseReviewCycle) -> Sequence[ReviewCycleEvent]:
    match cycle:
        case NotOpened():
            raise Rejected("review-cycle-is-not-open")
        case Open():
            return [ReviewCycleClosed(reason=command.reason)]
        case Closed():
            return []


def _opened(command: OpenReviewCycle) -> ReviewCycleOpened:
    if command.starts_on > command.ends_on:
        raise Rejected("cycle-ends-before-it-starts", starts_on=command.starts_on, ends_on=command.ends_on)
    if command.population < 1:
        raise Rejected("population-is-empty")
    return ReviewCycleOpened(
        name=command.name,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        policy=settled(command.policy),
        population=command.population,
    )


REVIEW_CYCLE: Final[Decider[ReviewCycle]] = Decider(
    category="reviewcycle", initial=NotOpened(), decide=decide, evolve=evolve
)
