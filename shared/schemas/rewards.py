"""What the rewards service publishes on `rewards.events`: programs, budget pools, rewards and payment instructions."""

from datetime import date
from typing import ClassVar, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.schemas.event import Event, EventTypes
from shared.schemas.identifiers import (
    BudgetPoolId,
    PaymentId,
    PersonId,
    ReviewCycleId,
    ReviewId,
    RewardId,
    RewardProgramId,
)
from shared.schemas.money import Money
from shared.schemas.values import DecimalString, OpenEnum, ShortText

TOPIC: Final = "rewards.events"


class RewardKind(OpenEnum):
    MERIT = "merit"


class PayrollAnswer(OpenEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PAID = "paid"


class _Value(BaseModel):
    """A value inside an event; tolerant to read, like the event itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class MeritGuideline(_Value):
    """Merit percentages (0-100), ascending. Outside low/high warns, outside minimum/maximum is refused."""

    minimum: DecimalString
    low: DecimalString
    default: DecimalString
    high: DecimalString
    maximum: DecimalString


NO_MERIT: Final = MeritGuideline.model_validate(dict.fromkeys(("minimum", "low", "default", "high", "maximum"), "0"))


class MeritRow(_Value):
    """The guideline for ratings and compa-ratios in two half-open bands: from <= x < below (none: no upper end)."""

    rating_from: DecimalString
    rating_below: DecimalString | None
    compa_from: DecimalString
    compa_below: DecimalString | None
    guideline: MeritGuideline


class MeritMatrix(_Value):
    """Rating x position in range -> guideline. `unrated` is the last, catch-all row."""

    scale_minimum: DecimalString
    scale_maximum: DecimalString
    rows: tuple[MeritRow, ...] = Field(max_length=400)
    unrated: MeritGuideline = NO_MERIT


class RewardProgramOpened(Event):
    """A program rewards the persons reviewed in `cycle` out of `pool`; coverage_start..end (inclusive) prorate."""

    event_type: ClassVar[str] = "trellis.rewards.RewardProgramOpened.v1"

    cycle: ReviewCycleId
    kind: RewardKind
    name: ShortText
    pool: BudgetPoolId
    currency: str
    matrix: MeritMatrix
    effective_on: date
    coverage_start: date
    coverage_end: date
    pay_date: date
    earning_code: ShortText
    lump_sum_earning_code: ShortText
    reason_code: ShortText
    cost_allocation: ShortText
    policy_version: ShortText


class BudgetPoolOpened(Event):
    event_type: ClassVar[str] = "trellis.rewards.BudgetPoolOpened.v1"

    name: ShortText
    amount: Money


class BudgetToppedUp(Event):
    event_type: ClassVar[str] = "trellis.rewards.BudgetToppedUp.v1"

    amount: Money
    reason: ShortText


class BudgetReserved(Event):
    event_type: ClassVar[str] = "trellis.rewards.BudgetReserved.v1"

    reward: RewardId
    amount: Money


class BudgetRefused(Event):
    """A reward was proposed that the pool could not hold; it can be approved only after a top-up or a release."""

    event_type: ClassVar[str] = "trellis.rewards.BudgetRefused.v1"

    reward: RewardId
    amount: Money
    available: Money


class BudgetCommitted(Event):
    """The reward was approved; what was reserved for it is replaced by this amount."""

    event_type: ClassVar[str] = "trellis.rewards.BudgetCommitted.v1"

    reward: RewardId
    amount: Money


class BudgetReleased(Event):
    event_type: ClassVar[str] = "trellis.rewards.BudgetReleased.v1"

    reward: RewardId
    amount: Money
    reason: ShortText


class Award(_Value):
    """What a reward is worth: amount = increase + lump_sum, rounded once.

    `increase` raises the annual base salary over the coverage; `lump_sum` is what exceeded the range maximum.
    """

    percent: DecimalString
    proration: DecimalString
    compa_ratio: DecimalString
    increase: Money
    lump_sum: Money
    amount: Money
    warnings: tuple[ShortText, ...] = ()


class RewardProposed(Event):
    """`proposed_by` gave the command (a reaction: the system), `nominated_by` is the reviewing manager.

    `rating` is the review's, on the matrix's scale, 2 places; none: not rated.
    """

    event_type: ClassVar[str] = "trellis.rewards.RewardProposed.v1"

    program: RewardProgramId
    pool: BudgetPoolId
    cycle: ReviewCycleId
    review: ReviewId
    kind: RewardKind
    person: PersonId
    proposed_by: PersonId
    nominated_by: PersonId | None
    rating: DecimalString | None
    award: Award
    compensation_revision: int
    effective_on: date
    coverage_start: date
    coverage_end: date
    policy_version: ShortText


class RewardNotProposed(Event):
    """A completed review led to no reward; `reason` is a code such as `no-open-program`."""

    event_type: ClassVar[str] = "trellis.rewards.RewardNotProposed.v1"

    person: PersonId
    review: ReviewId
    cycle: ReviewCycleId
    reason: ShortText


class RewardAdjusted(Event):
    """Another percentage within the guideline's limits; who adjusts counts as a proposer."""

    event_type: ClassVar[str] = "trellis.rewards.RewardAdjusted.v1"

    adjusted_by: PersonId
    award: Award
    compensation_revision: int
    reason: ShortText


class Approval(_Value):
    who: PersonId
    role: ShortText
    at: AwareDatetime
    policy_version: ShortText


class RewardApproved(Event):
    event_type: ClassVar[str] = "trellis.rewards.RewardApproved.v1"

    person: PersonId
    amount: Money
    approval: Approval
    payment: PaymentId


class RewardRejected(Event):
    event_type: ClassVar[str] = "trellis.rewards.RewardRejected.v1"

    rejected_by: PersonId
    reason: ShortText


class RewardGranted(Event):
    """Payroll has paid it."""

    event_type: ClassVar[str] = "trellis.rewards.RewardGranted.v1"

    payment: PaymentId
    paid_on: date


class PayComponent(_Value):
    earning_code: ShortText
    amount: Money


class PaymentInstructionIssued(Event):
    """What payroll is to pay. `payment_id` is the idempotency key; a later `version` replaces an earlier one.

    The components add up to `amount`: a raise of the base salary and a lump sum have earning codes of their own;
    `earning_code` is the first component's.
    """

    event_type: ClassVar[str] = "trellis.rewards.PaymentInstructionIssued.v1"

    payment_id: PaymentId
    version: int
    person: PersonId
    legal_entity: ShortText
    pay_group: ShortText
    earning_code: ShortText
    amount: Money
    components: tuple[PayComponent, ...]
    pay_date: date
    coverage_start: date
    coverage_end: date
    reason_code: ShortText
    cost_allocation: ShortText
    reward: RewardId
    approvals: tuple[Approval, ...]


class PaymentAnswered(Event):
    """Payroll's answer to one version: accepted, rejected with a code, or paid with pay date and run reference."""

    event_type: ClassVar[str] = "trellis.rewards.PaymentAnswered.v1"

    payment_id: PaymentId
    version: int
    answer: PayrollAnswer
    code: ShortText | None = None
    pay_date: date | None = None
    run_reference: ShortText | None = None


class PaymentAnswerRefused(Event):
    """Payroll answered what was never asked, or contradicted itself: kept, never applied, listed as a mismatch."""

    event_type: ClassVar[str] = "trellis.rewards.PaymentAnswerRefused.v1"

    payment_id: PaymentId
    version: int
    answer: PayrollAnswer
    reason: ShortText


EVENTS: Final = (
    RewardProgramOpened,
    BudgetPoolOpened,
    BudgetToppedUp,
    BudgetReserved,
    BudgetRefused,
    BudgetCommitted,
    BudgetReleased,
    RewardProposed,
    RewardNotProposed,
    RewardAdjusted,
    RewardApproved,
    RewardRejected,
    RewardGranted,
    PaymentInstructionIssued,
    PaymentAnswered,
    PaymentAnswerRefused,
)
TYPES: Final = EventTypes.of(EVENTS)
