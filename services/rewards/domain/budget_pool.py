"""A budget pool: reserve, commit, release; what is reserved and committed never exceeds its amount by a minor unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import Field

from services.rewards.domain.amounts import NONE, Amounts
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.event import Event
from shared.schemas.identifiers import RewardId
from shared.schemas.money import Money
from shared.schemas.rewards import (
    BudgetCommitted,
    BudgetPoolOpened,
    BudgetRefused,
    BudgetReleased,
    BudgetReserved,
    BudgetToppedUp,
)
from shared.schemas.values import ShortText


class OpenBudgetPoolBody(RequestBody):
    name: ShortText = Field(examples=["Merit 2025"])
    amount: Money


class OpenBudgetPool(OpenBudgetPoolBody, Command): ...


class TopUpBudgetBody(RequestBody):
    amount: Money
    reason: ShortText = Field(examples=["Board decision of 3 March"])


class TopUpBudget(TopUpBudgetBody, Command): ...


class ReserveBudget(Command):
    """Hold this amount for the reward, instead of what is held for it so far."""

    reward: RewardId
    amount: Money


class RequestBudget(Command):
    """Hold this amount if the pool can; if it cannot, that is a fact too (for rewards proposed by a reaction)."""

    reward: RewardId
    amount: Money


class CommitBudget(Command):
    """The reward is approved: spend this amount, reserved or not."""

    reward: RewardId
    amount: Money


class ReleaseBudget(Command):
    reward: RewardId
    reason: ShortText


BudgetCommand = OpenBudgetPool | TopUpBudget | ReserveBudget | RequestBudget | CommitBudget | ReleaseBudget


@dataclass(frozen=True, slots=True)
class NotOpened: ...


@dataclass(frozen=True, slots=True)
class Open:
    """Amounts in minor units of `currency`, per reward where they are held or spent for one."""

    name: str
    currency: str
    amount: int
    reserved: Amounts = NONE
    committed: Amounts = NONE
    refused: Amounts = NONE
    spoken_for: int = 0

    @property
    def available(self) -> int:
        return self.amount - self.spoken_for

    def held_for(self, reward: RewardId) -> int:
        return self.reserved.of(reward)

    def money(self, minor: int) -> Money:
        return Money.from_minor(minor, self.currency)


BudgetPool = NotOpened | Open


def evolve(pool: BudgetPool, event: Event) -> BudgetPool:
    match pool, event:
        case NotOpened(), BudgetPoolOpened():
            return Open(name=event.name, currency=event.amount.currency, amount=event.amount.minor)
        case Open(), BudgetToppedUp():
            return replace(pool, amount=pool.amount + event.amount.minor)
        case Open(), BudgetReserved():
            return _hold(pool, event.reward, event.amount.minor)
        case Open(), BudgetRefused():
            return replace(pool, refused=pool.refused.put(event.reward, event.amount.minor))
        case Open(), BudgetCommitted():
            return _spend(_hold(pool, event.reward, 0), event.reward, event.amount.minor)
        case Open(), BudgetReleased():
            return _hold(pool, event.reward, 0)
        case _:
            return pool


def _hold(pool: Open, reward: RewardId, minor: int) -> Open:
    return replace(
        pool,
        reserved=pool.reserved.put(reward, minor) if minor else pool.reserved.without(reward),
        refused=pool.refused.without(reward),
        spoken_for=pool.spoken_for - pool.held_for(reward) + minor,
    )


def _spend(pool: Open, reward: RewardId, minor: int) -> Open:
    return replace(pool, committed=pool.committed.put(reward, minor), spoken_for=pool.spoken_for + minor)


def decide(pool: BudgetPool, command: BudgetCommand) -> Sequence[Event]:
    match pool, command:
        case NotOpened(), OpenBudgetPool():
            _check_amount(command.amount, command.amount.currency)
            return [BudgetPoolOpened(name=command.name, amount=command.amount)]
        case NotOpened(), _:
            raise Rejected("pool-must-exist")
        case Open(), OpenBudgetPool():
            return []
        case Open(), TopUpBudget():
            _check_amount(command.amount, pool.currency)
            _check_countable(pool, command.amount)
            return [BudgetToppedUp(amount=command.amount, reason=command.reason)]
        case Open(), ReserveBudget():
            return _reserve(pool, command)
        case Open(), RequestBudget():
            return _request(pool, command)
        case Open(), CommitBudget():
            return _commit(pool, command)
        case Open(), ReleaseBudget():
            return _release(pool, command.reward, command.reason)


def _check_amount(amount: Money, currency: str) -> None:
    if amount.currency != currency:
        raise Rejected("currency-must-match-the-pool", currency=amount.currency, expected=currency)
    if amount.minor <= 0:
        raise Rejected("amount-must-be-positive", amount=amount.amount, currency=amount.currency)


def _check_countable(pool: Open, more: Money) -> None:
    largest = Money.largest(pool.currency)
    if pool.amount + more.minor > largest.minor:
        raise Rejected(
            "pool-must-not-exceed-the-largest-amount",
            amount=pool.money(pool.amount).amount,
            more=more.amount,
            largest=largest.amount,
            currency=pool.currency,
        )


def _check_affordable(pool: Open, reward: RewardId, amount: Money) -> None:
    """What is held for the reward itself counts as available to it."""
    available = pool.available + pool.held_for(reward)
    if amount.minor > available:
        raise Rejected(
            "budget-must-not-be-overspent",
            available=pool.money(available).amount,
            requested=amount.amount,
            currency=pool.currency,
        )


def _reserve(pool: Open, command: ReserveBudget | RequestBudget) -> Sequence[Event]:
    _check_amount(command.amount, pool.currency)
    if command.reward in pool.committed:
        raise Rejected("budget-is-already-committed", reward=command.reward)
    if pool.held_for(command.reward) == command.amount.minor:
        return []
    _check_affordable(pool, command.reward, command.amount)
    released = _release(pool, command.reward, "replaced-by-another-amount")
    return [*released, BudgetReserved(reward=command.reward, amount=command.amount)]


def _request(pool: Open, command: RequestBudget) -> Sequence[Event]:
    if command.reward in pool.committed or command.reward in pool.refused:
        return []
    try:
        return _reserve(pool, command)
    except Rejected as rejected:
        if rejected.rule != "budget-must-not-be-overspent":
            raise
        available = pool.money(pool.available + pool.held_for(command.reward))
        return [BudgetRefused(reward=command.reward, amount=command.amount, available=available)]


def _commit(pool: Open, command: CommitBudget) -> Sequence[Event]:
    _check_amount(command.amount, pool.currency)
    if command.reward in pool.committed:
        return []
    _check_affordable(pool, command.reward, command.amount)
    return [BudgetCommitted(reward=command.reward, amount=command.amount)]


def _release(pool: Open, reward: RewardId, reason: str) -> Sequence[Event]:
    if reward in pool.committed:
        raise Rejected("budget-is-already-committed", reward=reward)
    held = pool.held_for(reward)
    return [BudgetReleased(reward=reward, amount=pool.money(held), reason=reason)] if held else []


POOL: Final[Decider[BudgetPool]] = Decider(category="pool", initial=NotOpened(), decide=decide, evolve=evolve)
