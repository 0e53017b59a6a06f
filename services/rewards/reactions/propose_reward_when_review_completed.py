"""A completed review becomes a merit proposal under the cycle's program, or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.rewards.domain.budget_pool import POOL, RequestBudget
from services.rewards.domain.merit_increase import Pay
from services.rewards.domain.reward import REWARD, Proposed, ProposeMerit
from services.rewards.domain.reward_program import PROGRAM, Open
from services.rewards.projections.compensation import pay_of_all
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.errors import WaitingFor
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.reaction import React, Reaction
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.store import EventStore
from shared.people.population import Person, find_all
from shared.schemas import reviews
from shared.schemas.identifiers import SYSTEM, PersonId, ReviewId, RewardId, RewardProgramId
from shared.schemas.reviews import ReviewCompleted


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of the people whose reviews came, when they came."""

    people: Mapping[PersonId, Person]
    pay: Mapping[PersonId, Pay]


async def react(decision: Decision, store: EventStore, events: Sequence[Recorded]) -> React:
    """Read people, pay and rewards of all these events together; then each is reacted to."""
    completed = [(recorded, recorded.event) for recorded in events if isinstance(recorded.event, ReviewCompleted)]
    people = {event.person for _, event in completed}
    await decision.read_ahead(store, REWARD, [_reward(recorded) for recorded, _ in completed])
    facts = _Facts(await find_all(decision.connection, people), await pay_of_all(decision.connection, people))
    return partial(_react, facts)


def _reward(recorded: Recorded) -> RewardId:
    return RewardId(derived("reward", recorded.stream_id))


async def _react(facts: _Facts, decision: Decision, recorded: Recorded) -> None:
    """Propose and request the budget; person and pay are waited for where the feeds have not told of them yet."""
    match recorded.event:
        case ReviewCompleted() as completed:
            await _propose(facts, decision, recorded, completed)
        case _:
            return


async def _propose(facts: _Facts, decision: Decision, recorded: Recorded, completed: ReviewCompleted) -> None:
    reward = _reward(recorded)
    command = await _command(facts, decision, recorded, completed)
    state = await decision.decide(REWARD, reward, command)
    if isinstance(state, Proposed):
        budget = RequestBudget(reward=reward, amount=state.award.amount, at=command.at, by=SYSTEM)
        await decision.decide(POOL, state.proposal.pool, budget)


async def _command(facts: _Facts, decision: Decision, recorded: Recorded, completed: ReviewCompleted) -> ProposeMerit:
    program_id = RewardProgramId(derived("program", "merit", completed.cycle))
    program = (await decision.hold(PROGRAM, program_id)).state
    person, pay = facts.people.get(completed.person), facts.pay.get(completed.person)
    if person is None:
        raise WaitingFor(f"person:{completed.person}")
    if pay is None and isinstance(program, Open):
        raise WaitingFor(f"compensation:{completed.person}")
    return ProposeMerit(
        review=ReviewId(recorded.stream_id),
        cycle=completed.cycle,
        person=completed.person,
        nominated_by=completed.manager,
        rating=completed.overall,
        scale=(completed.scale_minimum, completed.scale_maximum),
        program_id=program_id,
        program=program.terms if isinstance(program, Open) else None,
        pay=pay,
        employed_from=person.hired_on,
        employed_until=person.left_on,
        at=recorded.envelope.recorded_at,
        by=SYSTEM,
    )


REACTION: Final = Reaction(
    name="propose_reward_when_review_completed",
    topics=(reviews.TOPIC,),
    react=react,
    events=(ReviewCompleted,),
    starts="beginning",
)
