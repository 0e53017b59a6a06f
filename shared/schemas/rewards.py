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
from shared.schemas.units import OnScale, Ordinal, Percent, Ratio
from shared.schemas.values import OpenEnum, ShortText

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

    minimum: Percent = Field(description="Less is refused.")
    low: Percent = Field(description="Less is warned of.")
    default: Percent = Field(description="What is proposed.")
    high: Percent = Field(description="More is warned of.")
    maximum: Percent = Field(description="More is refused.")


NO_MERIT: Final = MeritGuideline.model_validate(dict.fromkeys(("minimum", "low", "default", "high", "maximum"), "0"))


class MeritRow(_Value):
    """The guideline for ratings and compa-ratios in two half-open bands: from <= x < below (none: no upper end)."""

    rating_from: OnScale = Field(description="The lowest rating of the band.")
    rating_below: OnScale | None = Field(description="Where the next band begins; null: there is none.")
    compa_from: Ratio = Field(description="The lowest compa-ratio of the band.")
    compa_below: Ratio | None = Field(description="Where the next band begins; null: there is none.")
    guideline: MeritGuideline = Field(description="The merit for whoever falls in both bands.")


class MeritMatrix(_Value):
    """Rating x position in range -> guideline. `unrated` is the last, catch-all row."""

    scale_minimum: OnScale = Field(description="The lowest rating that it knows.")
    scale_maximum: OnScale = Field(description="The highest rating that it knows.")
    rows: tuple[MeritRow, ...] = Field(max_length=400, description="The bands; the first that fits counts.")
    unrated: MeritGuideline = Field(default=NO_MERIT, description="The guideline of whoever was not rated.")


class RewardProgramOpened(Event):
    """A program rewards the persons reviewed in `cycle` out of `pool`; coverage_start..end (inclusive) prorate."""

    event_type: ClassVar[str] = "trellis.rewards.RewardProgramOpened.v1"

    cycle: ReviewCycleId = Field(description="The review cycle whose people it rewards.")
    kind: RewardKind = Field(description="What sort of reward it gives.")
    name: ShortText = Field(description="What the program is called.")
    pool: BudgetPoolId = Field(description="The budget that it is paid from.")
    currency: str = Field(description="The ISO 4217 currency of its budget and rewards.")
    matrix: MeritMatrix = Field(description="The guideline by rating and position in range.")
    effective_on: date = Field(description="The day from which a raise counts.")
    coverage_start: date = Field(description="The first day of the time that is rewarded.")
    coverage_end: date = Field(description="The last day of the time that is rewarded.")
    pay_date: date = Field(description="The day on which payroll is to pay.")
    earning_code: ShortText = Field(description="Payroll's code of a raise.")
    lump_sum_earning_code: ShortText = Field(description="Payroll's code of a lump sum.")
    reason_code: ShortText = Field(description="Payroll's code of why.")
    cost_allocation: ShortText = Field(description="Where payroll books it.")
    policy_version: ShortText = Field(description="The policy that amounts are computed by.")


class BudgetPoolOpened(Event):
    """There is money to reward people from."""

    event_type: ClassVar[str] = "trellis.rewards.BudgetPoolOpened.v1"

    name: ShortText = Field(description="What the pool is called.")
    amount: Money = Field(description="What there is to spend.")


class BudgetToppedUp(Event):
    """There is more of it."""

    event_type: ClassVar[str] = "trellis.rewards.BudgetToppedUp.v1"

    amount: Money = Field(description="What there is to spend in addition.")
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class BudgetReserved(Event):
    """Money is held for a reward that was proposed."""

    event_type: ClassVar[str] = "trellis.rewards.BudgetReserved.v1"

    reward: RewardId = Field(description="The reward that it is held for.")
    amount: Money = Field(description="What is held.")


class BudgetRefused(Event):
    """A reward was proposed that the pool could not hold; it can be approved only after a top-up or a release."""

    event_type: ClassVar[str] = "trellis.rewards.BudgetRefused.v1"

    reward: RewardId = Field(description="The reward that does not fit.")
    amount: Money = Field(description="What it would take.")
    available: Money = Field(description="What there was.")


class BudgetCommitted(Event):
    """The reward was approved; what was reserved for it is replaced by this amount."""

    event_type: ClassVar[str] = "trellis.rewards.BudgetCommitted.v1"

    reward: RewardId = Field(description="The reward that was approved.")
    amount: Money = Field(description="What it takes, in the place of what was held for it.")


class BudgetReleased(Event):
    """A reward that was proposed or approved needs its money no more."""

    event_type: ClassVar[str] = "trellis.rewards.BudgetReleased.v1"

    reward: RewardId = Field(description="The reward that needs it no more.")
    amount: Money = Field(description="What is free again.")
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class Award(_Value):
    """What a reward is worth: amount = increase + lump_sum, rounded once.

    `increase` raises the annual base salary over the coverage; `lump_sum` is what exceeded the range maximum.
    """

    percent: Percent = Field(description="The raise, of the annual base salary.")
    proration: Ratio = Field(description="The share of the coverage that the person was employed.")
    compa_ratio: Ratio = Field(description="Base salary over the middle of the job's range.")
    increase: Money = Field(description="What raises the base salary over the coverage.")
    lump_sum: Money = Field(description="What exceeded the range's maximum, paid once.")
    amount: Money = Field(description="Both together, rounded once.")
    warnings: tuple[ShortText, ...] = Field(default=(), description="Codes of guidelines that it leaves; empty: none.")


class RewardProposed(Event):
    """`proposed_by` gave the command (a reaction: the system), `nominated_by` is the reviewing manager.

    `rating` is the review's, on the matrix's scale, 2 places; none: not rated.
    """

    event_type: ClassVar[str] = "trellis.rewards.RewardProposed.v1"

    program: RewardProgramId = Field(description="The program that it comes from.")
    pool: BudgetPoolId = Field(description="The budget that it is paid from.")
    cycle: ReviewCycleId = Field(description="The review cycle that it rewards.")
    review: ReviewId = Field(description="The review that it rewards.")
    kind: RewardKind = Field(description="What sort of reward it is.")
    person: PersonId = Field(description="Who is rewarded.")
    proposed_by: PersonId = Field(description="Who gave the command; the system, where a reaction did.")
    nominated_by: PersonId | None = Field(description="The reviewing manager; null: there was none.")
    rating: OnScale | None = Field(description="The review's score, on the matrix's scale, 2 places; null: not rated.")
    award: Award = Field(description="What it is worth, and how that was computed.")
    compensation_revision: Ordinal = Field(description="The revision of the person's pay that it was computed from.")
    effective_on: date = Field(description="The day from which a raise counts.")
    coverage_start: date = Field(description="The first day of the time that is rewarded.")
    coverage_end: date = Field(description="The last day of the time that is rewarded.")
    policy_version: ShortText = Field(description="The policy that it was computed by.")


class RewardNotProposed(Event):
    """A completed review led to no reward; `reason` is a code such as `no-open-program`."""

    event_type: ClassVar[str] = "trellis.rewards.RewardNotProposed.v1"

    person: PersonId = Field(description="Who gets none.")
    review: ReviewId = Field(description="The completed review.")
    cycle: ReviewCycleId = Field(description="The cycle that it belongs to.")
    reason: ShortText = Field(description="Why there is none, as a code such as `no-open-program`.")


class RewardAdjusted(Event):
    """Another percentage within the guideline's limits; who adjusts counts as a proposer."""

    event_type: ClassVar[str] = "trellis.rewards.RewardAdjusted.v1"

    adjusted_by: PersonId = Field(description="Who chose another percentage; they count as a proposer.")
    award: Award = Field(description="What it is worth now.")
    compensation_revision: Ordinal = Field(description="The revision of the person's pay that it was computed from.")
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class Approval(_Value):
    who: PersonId = Field(description="Who approved.")
    role: ShortText = Field(description="As what they approved.")
    at: AwareDatetime = Field(description="When.")
    policy_version: ShortText = Field(description="The policy that asked for it.")


class RewardApproved(Event):
    """The reward will be paid: payroll is instructed."""

    event_type: ClassVar[str] = "trellis.rewards.RewardApproved.v1"

    person: PersonId = Field(description="Who is rewarded.")
    amount: Money = Field(description="What is paid.")
    approval: Approval = Field(description="Who approved it, as what, and when.")
    payment: PaymentId = Field(description="The payment that it leads to.")


class RewardRejected(Event):
    """The reward will not be paid."""

    event_type: ClassVar[str] = "trellis.rewards.RewardRejected.v1"

    rejected_by: PersonId = Field(description="Who rejected it.")
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class RewardGranted(Event):
    """Payroll has paid it."""

    event_type: ClassVar[str] = "trellis.rewards.RewardGranted.v1"

    payment: PaymentId = Field(description="The payment that was made.")
    paid_on: date = Field(description="The day on which the money was paid out.")


class PayComponent(_Value):
    earning_code: ShortText = Field(description="Payroll's code of this part.")
    amount: Money = Field(description="This part of the payment.")


class PaymentInstructionIssued(Event):
    """What payroll is to pay. `payment_id` is the idempotency key; a later `version` replaces an earlier one.

    The components add up to `amount`: a raise of the base salary and a lump sum have earning codes of their own;
    `earning_code` is the first component's.
    """

    event_type: ClassVar[str] = "trellis.rewards.PaymentInstructionIssued.v1"

    payment_id: PaymentId = Field(description="The payment; the key that keeps it from being paid twice.")
    version: Ordinal = Field(description="From 1; a later one replaces an earlier one.")
    person: PersonId = Field(description="Who is paid.")
    legal_entity: ShortText = Field(description="The company that employs them.")
    pay_group: ShortText = Field(description="The pay group that payroll pays them in.")
    earning_code: ShortText = Field(description="That of the first component.")
    amount: Money = Field(description="What is to be paid in all.")
    components: tuple[PayComponent, ...] = Field(
        description="The parts that the amount adds up from, each with its earning code."
    )
    pay_date: date = Field(description="The day on which it is to be paid.")
    coverage_start: date = Field(description="The first day of the time that is rewarded.")
    coverage_end: date = Field(description="The last day of the time that is rewarded.")
    reason_code: ShortText = Field(description="Payroll's code of why.")
    cost_allocation: ShortText = Field(description="Where payroll books it.")
    reward: RewardId = Field(description="The reward that is paid.")
    approvals: tuple[Approval, ...] = Field(description="Who approved it, as what, and when.")


class PaymentAnswered(Event):
    """Payroll's answer to one version: accepted, rejected with a code, or paid with pay date and run reference."""

    event_type: ClassVar[str] = "trellis.rewards.PaymentAnswered.v1"

    payment_id: PaymentId = Field(description="The payment that was answered.")
    version: Ordinal = Field(description="The version of the instruction that was answered.")
    answer: PayrollAnswer = Field(description="What payroll said.")
    code: ShortText | None = Field(default=None, description="Why it was rejected; null: it was not.")
    pay_date: date | None = Field(
        default=None, description="The day on which the money was paid out; null: it was not yet."
    )
    run_reference: ShortText | None = Field(
        default=None, description="Payroll's own name of the run that paid it; null: none did yet."
    )


class PaymentAnswerRefused(Event):
    """Payroll answered what was never asked, or contradicted itself: kept, never applied, listed as a mismatch."""

    event_type: ClassVar[str] = "trellis.rewards.PaymentAnswerRefused.v1"

    payment_id: PaymentId = Field(description="The payment that payroll named.")
    version: Ordinal = Field(description="The version that payroll named.")
    answer: PayrollAnswer = Field(description="What payroll said.")
    reason: ShortText = Field(description="Why it cannot be, as a code.")


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
