"""The people, the matrix and the events that the rewards tests speak of, and strategies for any of them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from services.rewards.domain.merit_increase import Pay
from shared.schemas.identifiers import (
    SYSTEM,
    BudgetPoolId,
    PaymentId,
    PersonId,
    ReviewCycleId,
    ReviewId,
    RewardId,
    RewardProgramId,
)
from shared.schemas.money import Money
from shared.schemas.people import SalaryPeriod
from shared.schemas.rewards import (
    Approval,
    Award,
    BudgetCommitted,
    BudgetPoolOpened,
    BudgetRefused,
    BudgetReleased,
    BudgetReserved,
    BudgetToppedUp,
    MeritGuideline,
    MeritMatrix,
    MeritRow,
    PayComponent,
    PaymentAnswered,
    PaymentAnswerRefused,
    PaymentInstructionIssued,
    PayrollAnswer,
    RewardAdjusted,
    RewardApproved,
    RewardGranted,
    RewardKind,
    RewardNotProposed,
    RewardProgramOpened,
    RewardProposed,
    RewardRejected,
)

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
ANN = PersonId(UUID(int=0xA))
MANAGER = PersonId(UUID(int=0xB))
HR = PersonId(UUID(int=0xC))
CYCLE = ReviewCycleId(UUID(int=0x10))
PROGRAM = RewardProgramId(UUID(int=0x11))
POOL_ID = BudgetPoolId(UUID(int=0x12))
REVIEW = ReviewId(UUID(int=0x13))
REWARD_ID = RewardId(UUID(int=0x14))
OTHER_REWARD = RewardId(UUID(int=0x15))
PAYMENT_ID = PaymentId(UUID(int=0x16))


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def guideline(minimum: str, low: str, default: str, high: str, maximum: str) -> MeritGuideline:
    return MeritGuideline(
        minimum=Decimal(minimum),
        low=Decimal(low),
        default=Decimal(default),
        high=Decimal(high),
        maximum=Decimal(maximum),
    )


def row(rating: tuple[str, str | None], compa: tuple[str, str | None], *percentages: str) -> MeritRow:
    return MeritRow(
        rating_from=Decimal(rating[0]),
        rating_below=None if rating[1] is None else Decimal(rating[1]),
        compa_from=Decimal(compa[0]),
        compa_below=None if compa[1] is None else Decimal(compa[1]),
        guideline=guideline(*percentages),
    )


MATRIX = MeritMatrix(
    scale_minimum=Decimal(1),
    scale_maximum=Decimal(5),
    rows=(
        row(("1", "3"), ("0", None), "0", "0", "0", "1", "2"),
        row(("3", "4.5"), ("0", "1"), "1", "2", "3", "4", "5"),
        row(("3", "4.5"), ("1", None), "0", "1", "2", "3", "4"),
        row(("4.5", None), ("0", "1"), "3", "4", "5", "6", "8"),
        row(("4.5", None), ("1", None), "2", "3", "4", "5", "6"),
    ),
)
PAY = Pay(
    base_salary=usd("60000.00"),
    range_minimum=usd("50000.00"),
    range_maximum=usd("80000.00"),
    per=SalaryPeriod.YEAR,
    revision=1,
)

program_opened = RewardProgramOpened(
    cycle=CYCLE,
    kind=RewardKind.MERIT,
    name="Merit 2025",
    pool=POOL_ID,
    currency="USD",
    matrix=MATRIX,
    effective_on=date(2026, 2, 1),
    coverage_start=date(2025, 1, 1),
    coverage_end=date(2025, 12, 31),
    pay_date=date(2026, 2, 27),
    earning_code="MERIT",
    lump_sum_earning_code="MERIT-LUMP",
    reason_code="ANNUAL-MERIT",
    cost_allocation="CC-1000",
    policy_version="2025.1",
)
pool_opened = BudgetPoolOpened(name="Merit 2025", amount=usd("10000.00"))
topped_up = BudgetToppedUp(amount=usd("500.00"), reason="Board decision of 3 March")
reserved = BudgetReserved(reward=REWARD_ID, amount=usd("1800.00"))
refused = BudgetRefused(reward=REWARD_ID, amount=usd("1800.00"), available=usd("1700.00"))
committed = BudgetCommitted(reward=REWARD_ID, amount=usd("1800.00"))
released = BudgetReleased(reward=REWARD_ID, amount=usd("1800.00"), reason="rejected")

award = Award(
    percent=Decimal(3),
    proration=Decimal("1.0000"),
    compa_ratio=Decimal("0.9231"),
    increase=usd("1800.00"),
    lump_sum=usd("0.00"),
    amount=usd("1800.00"),
)
adjusted_award = Award(
    percent=Decimal("4.5"),
    proration=Decimal("1.0000"),
    compa_ratio=Decimal("0.9231"),
    increase=usd("2700.00"),
    lump_sum=usd("0.00"),
    amount=usd("2700.00"),
    warnings=("merit-percent-above-the-guideline",),
)
proposed = RewardProposed(
    program=PROGRAM,
    pool=POOL_ID,
    cycle=CYCLE,
    review=REVIEW,
    kind=RewardKind.MERIT,
    person=ANN,
    proposed_by=SYSTEM,
    nominated_by=MANAGER,
    rating=Decimal("3.40"),
    award=award,
    compensation_revision=1,
    effective_on=date(2026, 2, 1),
    coverage_start=date(2025, 1, 1),
    coverage_end=date(2025, 12, 31),
    policy_version="2025.1",
)
not_proposed = RewardNotProposed(person=ANN, review=REVIEW, cycle=CYCLE, reason="no-open-program")
adjusted = RewardAdjusted(adjusted_by=MANAGER, award=adjusted_award, compensation_revision=1, reason="vacancy-carried")
approval = Approval(who=HR, role="hr", at=NOW, policy_version="2025.1")
approved = RewardApproved(person=ANN, amount=usd("1800.00"), approval=approval, payment=PAYMENT_ID)
rejected = RewardRejected(rejected_by=HR, reason="duplicate")
granted = RewardGranted(payment=PAYMENT_ID, paid_on=date(2026, 2, 27))

issued = PaymentInstructionIssued(
    payment_id=PAYMENT_ID,
    version=1,
    person=ANN,
    legal_entity="US01",
    pay_group="US-MONTHLY",
    earning_code="MERIT",
    amount=usd("1800.00"),
    components=(PayComponent(earning_code="MERIT", amount=usd("1800.00")),),
    pay_date=date(2026, 2, 27),
    coverage_start=date(2025, 1, 1),
    coverage_end=date(2025, 12, 31),
    reason_code="ANNUAL-MERIT",
    cost_allocation="CC-1000",
    reward=REWARD_ID,
    approvals=(approval,),
)
reissued = issued.model_copy(update={"version": 2, "pay_group": "US-WEEKLY"})
accepted_answer = PaymentAnswered(payment_id=PAYMENT_ID, version=1, answer=PayrollAnswer.ACCEPTED)
rejected_answer = PaymentAnswered(
    payment_id=PAYMENT_ID, version=1, answer=PayrollAnswer.REJECTED, code="unknown-pay-group"
)
paid_answer = PaymentAnswered(
    payment_id=PAYMENT_ID,
    version=1,
    answer=PayrollAnswer.PAID,
    pay_date=date(2026, 2, 27),
    run_reference="2026-02/US-MONTHLY",
)
answer_refused = PaymentAnswerRefused(
    payment_id=PAYMENT_ID, version=1, answer=PayrollAnswer.PAID, reason="payment-was-never-issued"
)

rewards = st.sampled_from([REWARD_ID, OTHER_REWARD, RewardId(UUID(int=0x17))])
amounts = st.builds(Money.from_minor, st.integers(min_value=1, max_value=1_500_000), st.just("USD"))
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60).filter(
    str.strip
)
persons = st.sampled_from([ANN, MANAGER, HR])
