"""Histories of rewards, pools and payments as the projections get them."""

from collections.abc import Sequence
from uuid import UUID

from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.identifiers import PaymentId, PersonId, RewardId
from shared.schemas.money import Money
from shared.schemas.rewards import PaymentInstructionIssued, RewardApproved, RewardProposed
from tests.integration.services.feedback.published import recorded
from tests.unit.services.rewards.examples import approved, issued, proposed


def reward_id(number: int) -> RewardId:
    return RewardId(UUID(int=1000 + number))


def payment_of(number: int) -> PaymentId:
    return PaymentId(UUID(int=2000 + number))


def person_of(number: int) -> PersonId:
    return PersonId(UUID(int=3000 + number))


def stream(category: str, identity: UUID, *events: Event) -> list[Recorded]:
    """The events as that stream's first ones."""
    return [recorded(event, stream=identity, version=n, category=category) for n, event in enumerate(events, start=1)]


def reward(number: int, *events: Event) -> list[Recorded]:
    return stream("reward", reward_id(number), *events)


def payment(number: int, *events: Event) -> list[Recorded]:
    return stream("payment", payment_of(number), *events)


def proposal(number: int) -> RewardProposed:
    return proposed.model_copy(update={"person": person_of(number)})


def approval(number: int, amount: Money | None = None) -> RewardApproved:
    """The approval of reward `number`."""
    changed = {"person": person_of(number), "payment": payment_of(number), "amount": amount or approved.amount}
    return approved.model_copy(update=changed)


def instruction(number: int, amount: Money | None = None, *, version: int = 1) -> PaymentInstructionIssued:
    changed = {
        "payment_id": payment_of(number),
        "reward": reward_id(number),
        "person": person_of(number),
        "amount": amount or issued.amount,
        "version": version,
    }
    return issued.model_copy(update=changed)


def flattened(streams: Sequence[Sequence[Recorded]]) -> list[Recorded]:
    return [record for events in streams for record in events]
