"""A reward program: the merit matrix, the budget pool and the pay terms for one review cycle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from services.rewards.domain.merit_matrix import check_matrix
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.event import Event
from shared.schemas.identifiers import BudgetPoolId, ReviewCycleId
from shared.schemas.rewards import MeritMatrix, RewardKind, RewardProgramOpened
from shared.schemas.values import ShortText


def _without_unknown_fields(matrix: Any) -> MeritMatrix:
    """Events are read tolerantly; in a request a misspelt `unrated` must not mean none."""
    return matrix if isinstance(matrix, MeritMatrix) else MeritMatrix.model_validate(matrix, extra="forbid")


class OpenRewardProgramBody(RequestBody):
    cycle: ReviewCycleId
    name: ShortText = Field(examples=["Merit 2025"])
    pool: BudgetPoolId
    matrix: Annotated[MeritMatrix, BeforeValidator(_without_unknown_fields)]
    effective_on: date = Field(description="The day from which an increase holds.")
    coverage_start: date = Field(description="First day of the period that prorates.")
    coverage_end: date = Field(description="Last day of that period, included.")
    pay_date: date
    earning_code: ShortText = "MERIT"
    lump_sum_earning_code: ShortText = "MERIT-LUMP"
    reason_code: ShortText = "ANNUAL-MERIT"
    cost_allocation: ShortText = Field(examples=["CC-1000"])
    policy_version: ShortText = Field(examples=["2025.1"])


class OpenRewardProgram(OpenRewardProgramBody, Command):
    """`pool_currency` is the pool's, as the handler read it; none: there is no such pool."""

    pool_currency: str | None


@dataclass(frozen=True, slots=True)
class NotOpened: ...


@dataclass(frozen=True, slots=True)
class Open:
    terms: RewardProgramOpened


RewardProgram = NotOpened | Open


def evolve(program: RewardProgram, event: Event) -> RewardProgram:
    return Open(terms=event) if isinstance(event, RewardProgramOpened) else program


def decide(program: RewardProgram, command: OpenRewardProgram) -> Sequence[Event]:
    if command.pool_currency is None:
        raise Rejected("pool-must-exist", pool=command.pool)
    if command.coverage_end < command.coverage_start:
        raise Rejected("coverage-must-not-end-before-it-starts", start=command.coverage_start, end=command.coverage_end)
    check_matrix(command.matrix)
    opened = RewardProgramOpened(
        kind=RewardKind.MERIT,
        currency=command.pool_currency,
        **{name: getattr(command, name) for name in OpenRewardProgramBody.model_fields},
    )
    match program:
        case NotOpened():
            return [opened]
        case Open(terms=terms) if terms == opened:
            return []
        case Open():
            raise Rejected("cycle-already-has-a-program", cycle=command.cycle)


PROGRAM: Final[Decider[RewardProgram]] = Decider(category="program", initial=NotOpened(), decide=decide, evolve=evolve)
