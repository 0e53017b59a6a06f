"""Rules of a budget pool: never overspent by one minor unit, whatever is asked in whatever order."""

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.rewards.domain.budget_pool import (
    POOL,
    BudgetCommand,
    CommitBudget,
    Open,
    OpenBudgetPool,
    ReleaseBudget,
    RequestBudget,
    ReserveBudget,
    TopUpBudget,
)
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import Event, encode
from shared.schemas.identifiers import RewardId
from shared.schemas.money import Money
from shared.schemas.rewards import (
    TYPES,
    BudgetCommitted,
    BudgetPoolOpened,
    BudgetRefused,
    BudgetReleased,
    BudgetReserved,
    BudgetToppedUp,
)
from tests.spec import given
from tests.unit.services.rewards.examples import (
    HR,
    NOW,
    OTHER_REWARD,
    REWARD_ID,
    amounts,
    committed,
    pool_opened,
    refused,
    released,
    reserved,
    rewards,
    topped_up,
    usd,
    words,
)

open_pool = OpenBudgetPool(name="Merit 2025", amount=usd("10000.00"), at=NOW, by=HR)


def reserve(amount: str, reward: RewardId = REWARD_ID) -> ReserveBudget:
    return ReserveBudget(reward=reward, amount=usd(amount), at=NOW, by=HR)


def commit(amount: str, reward: RewardId = REWARD_ID) -> CommitBudget:
    return CommitBudget(reward=reward, amount=usd(amount), at=NOW, by=HR)


def request(amount: str, reward: RewardId = REWARD_ID) -> RequestBudget:
    return RequestBudget(reward=reward, amount=usd(amount), at=NOW, by=HR)


def release(reason: str = "rejected") -> ReleaseBudget:
    return ReleaseBudget(reward=REWARD_ID, reason=reason, at=NOW, by=HR)


def top_up(amount: Money) -> TopUpBudget:
    return TopUpBudget(amount=amount, reason="Board decision of 3 March", at=NOW, by=HR)


def test_a_pool_opens_with_an_amount() -> None:
    given(POOL).when(open_pool).then(pool_opened)


def test_a_pool_without_money_is_refused() -> None:
    given(POOL).when(open_pool.model_copy(update={"amount": usd("0.00")})).then_rejected("amount-must-be-positive")


def test_opening_a_pool_again_changes_nothing() -> None:
    given(POOL, pool_opened).when(open_pool).then_nothing()


def test_nothing_is_reserved_in_a_pool_that_does_not_exist() -> None:
    given(POOL).when(reserve("1.00")).then_rejected("pool-must-exist")


def test_a_top_up_has_a_reason() -> None:
    given(POOL, pool_opened).when(top_up(usd("500.00"))).then(topped_up)


def test_a_top_up_in_another_currency_is_refused() -> None:
    euros = Money.from_minor(100, "EUR")
    given(POOL, pool_opened).when(top_up(euros)).then_rejected("currency-must-match-the-pool", expected="USD")


def test_a_submitted_reward_is_reserved() -> None:
    given(POOL, pool_opened).when(reserve("1800.00")).then(reserved)


def test_reserving_the_same_amount_again_changes_nothing() -> None:
    given(POOL, pool_opened, reserved).when(reserve("1800.00")).then_nothing()


def test_another_amount_for_the_same_reward_replaces_the_first() -> None:
    given(POOL, pool_opened, reserved).when(reserve("10000.00")).then(
        BudgetReleased(reward=REWARD_ID, amount=usd("1800.00"), reason="replaced-by-another-amount"),
        BudgetReserved(reward=REWARD_ID, amount=usd("10000.00")),
    )


def test_the_last_minor_unit_can_be_reserved() -> None:
    given(POOL, pool_opened, reserved).when(reserve("8200.00", OTHER_REWARD)).then(
        BudgetReserved(reward=OTHER_REWARD, amount=usd("8200.00"))
    )


def test_one_minor_unit_too_many_is_refused_and_shows_what_is_available() -> None:
    given(POOL, pool_opened, reserved).when(reserve("8200.01", OTHER_REWARD)).then_rejected(
        "budget-must-not-be-overspent", available=usd("8200.00").amount, requested=usd("8200.01").amount
    )


def test_a_request_that_fits_is_reserved() -> None:
    given(POOL, pool_opened).when(request("1800.00")).then(reserved)


def test_a_request_that_does_not_fit_is_on_record() -> None:
    given(POOL, pool_opened, reserved).when(request("8200.01", OTHER_REWARD)).then(
        BudgetRefused(reward=OTHER_REWARD, amount=usd("8200.01"), available=usd("8200.00"))
    )


def test_a_request_that_was_refused_is_not_refused_again() -> None:
    given(POOL, pool_opened, refused).when(request("1800.00")).then_nothing()


def test_an_approved_reward_commits_what_was_reserved() -> None:
    given(POOL, pool_opened, reserved).when(commit("1800.00")).then(committed)


def test_an_approved_reward_that_was_not_reserved_commits_what_is_available() -> None:
    given(POOL, pool_opened, refused).when(commit("1800.00")).then(committed)


def test_an_approval_never_overspends() -> None:
    given(POOL, pool_opened, reserved).when(commit("8200.01", OTHER_REWARD)).then_rejected(
        "budget-must-not-be-overspent", available=usd("8200.00").amount
    )


def test_a_top_up_makes_an_approval_affordable() -> None:
    given(POOL, pool_opened, reserved, topped_up).when(commit("8200.01", OTHER_REWARD)).then(
        BudgetCommitted(reward=OTHER_REWARD, amount=usd("8200.01"))
    )


def test_committing_twice_spends_once() -> None:
    given(POOL, pool_opened, committed).when(commit("1800.00")).then_nothing()


def test_a_rejected_reward_releases_what_was_reserved() -> None:
    given(POOL, pool_opened, reserved).when(release()).then(released)


def test_releasing_what_was_never_reserved_changes_nothing() -> None:
    given(POOL, pool_opened).when(release()).then_nothing()


def test_what_is_released_is_available_again() -> None:
    given(POOL, pool_opened, reserved, released).when(reserve("10000.00", OTHER_REWARD)).then(
        BudgetReserved(reward=OTHER_REWARD, amount=usd("10000.00"))
    )


def test_committed_money_is_neither_released_nor_reserved_again() -> None:
    given(POOL, pool_opened, committed).when(release()).then_rejected("budget-is-already-committed")
    given(POOL, pool_opened, committed).when(reserve("1.00")).then_rejected("budget-is-already-committed")


events = st.one_of(
    st.builds(BudgetPoolOpened, name=words.map(str.strip), amount=amounts),
    st.builds(BudgetToppedUp, amount=amounts, reason=words.map(str.strip)),
    st.builds(BudgetReserved, reward=rewards, amount=amounts),
    st.builds(BudgetRefused, reward=rewards, amount=amounts, available=amounts),
    st.builds(BudgetCommitted, reward=rewards, amount=amounts),
    st.builds(BudgetReleased, reward=rewards, amount=amounts, reason=words.map(str.strip)),
)
repeatable = st.one_of(
    st.builds(OpenBudgetPool, name=words, amount=amounts, at=st.just(NOW), by=st.just(HR)),
    st.builds(ReserveBudget, reward=rewards, amount=amounts, at=st.just(NOW), by=st.just(HR)),
    st.builds(RequestBudget, reward=rewards, amount=amounts, at=st.just(NOW), by=st.just(HR)),
    st.builds(CommitBudget, reward=rewards, amount=amounts, at=st.just(NOW), by=st.just(HR)),
    st.builds(ReleaseBudget, reward=rewards, reason=words, at=st.just(NOW), by=st.just(HR)),
)
commands = repeatable | st.builds(TopUpBudget, amount=amounts, reason=words, at=st.just(NOW), by=st.just(HR))


@for_all(events)
def test_events_survive_storage(event: Event) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert isinstance(read, Event)
    assert encode(read) == stored


@for_all(st.lists(events, max_size=12))
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    POOL.fold(history)


@for_all(st.lists(commands, max_size=8), repeatable)
def test_deciding_twice_adds_nothing(earlier: list[BudgetCommand], command: BudgetCommand) -> None:
    """Top-ups apart: two equal ones are two, and the edge's idempotency key tells a repeated one."""
    state = POOL.initial
    for each in [*earlier, command]:
        try:
            state = POOL.fold(POOL.decide(state, each), state)
        except Rejected:
            if each is command:
                return
    assert list(POOL.decide(state, command)) == []


@for_all(st.lists(commands, max_size=30))
def test_no_sequence_of_commands_overspends(sequence: list[BudgetCommand]) -> None:
    state = POOL.initial
    for command in [OpenBudgetPool(name="Merit", amount=usd("20000.00"), at=NOW, by=HR), *sequence]:
        try:
            state = POOL.fold(POOL.decide(state, command), state)
        except Rejected:
            continue
        assert isinstance(state, Open)
        spent = sum(state.reserved.values()) + sum(state.committed.values())
        assert spent == state.spoken_for <= state.amount


def test_a_pool_does_not_grow_beyond_what_money_can_say() -> None:
    almost = BudgetPoolOpened(name="Merit 2025", amount=Money.largest("BHD"))
    fils = Money.from_minor(1, "BHD")
    given(POOL, almost).when(TopUpBudget(amount=fils, reason="more", at=NOW, by=HR)).then_rejected(
        "pool-must-not-exceed-the-largest-amount"
    )
