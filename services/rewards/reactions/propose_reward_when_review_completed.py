"""A completed review becomes a merit proposal under the cycle's program, or the reason why there is none."""

from typing import Final

from services.rewards.domain.budget_pool import POOL, RequestBudget
from services.rewards.domain.reward import REWARD, Proposed, ProposeMerit
from services.rewards.domain.reward_program import PROGRAM, Open
from services.rewards.projections.compensation import pay_of
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.errors import WaitingFor
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.reaction import Reaction
from shared.eventsourcing.recorded import Recorded
from shared.people.population import find
from shared.schemas import reviews
from shared.schemas.identifiers import SYSTEM, ReviewId, RewardId, RewardProgramId
from shared.schemas.reviews import ReviewCompleted


async def react(decision: Decision, recorded: Recorded) -> None:
    """Propose and request the budget; person and pay are waited for where the feeds have not told of them yet."""
    match recorded.event:
        case ReviewCompleted() as completed:
            await _propose(decision, recorded, completed)
        case _:
            return


async def _propose(decision: Decision, recorded: Recorded, completed: ReviewCompleted) -> None:
    reward = RewardId(derived("reward", recorded.stream_id))
    command = await _command(decision, recorded, completed)
    state = await decision.decide(REWARD, reward, command)
    if isinstance(state, Proposed):
        budget = RequestBudget(reward=reward, amount=state.award.amount, at=command.at, by=SYSTEM)
        await decision.decide(POOL, state.proposal.pool, budget)


async def _command(decision: Decision, recorded: Recorded, completed: ReviewCompleted) -> ProposeMerit:
    program_id = RewardProgramId(derived("program", "merit", completed.cycle))
    program = (await decision.hold(PROGRAM, program_id)).state
    person = await find(decision.connection, completed.person)
    if person is None:
        raise WaitingFor(f"person:{completed.person}")
    pay = await pay_of(decision.connection, completed.person)
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
    name="propose_reward_when_review_completed", topics=(reviews.TOPIC,), react=react, starts="beginning"
)
