"""What the goals service froze for a review is taken into it, once, and stays whatever becomes of the goals."""

from typing import Final

from services.reviews.domain.review import REVIEW
from services.reviews.domain.review_commands import TakeGoalEvidence
from services.reviews.domain.review_cycle import REVIEW_CYCLE, Open
from services.reviews.domain.review_states import NotOpened
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.reaction import Reaction, one_by_one
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goal_evidence import GoalEvidenceFrozen
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import SYSTEM


async def react(decision: Decision, recorded: Recorded) -> None:
    """In a closed cycle nothing is taken any more.

    The hash is taken as it came: it covers what a later version of the event may say and this reader does not know.
    """
    match recorded.event:
        case GoalEvidenceFrozen() as frozen:
            await _take(decision, frozen)
        case _:
            return


async def _take(decision: Decision, frozen: GoalEvidenceFrozen) -> None:
    state = (await decision.load(REVIEW, frozen.review)).state
    if isinstance(state, NotOpened):
        return
    cycle = (await decision.hold(REVIEW_CYCLE, state.terms.cycle)).state
    if isinstance(cycle, Open):
        command = TakeGoalEvidence(
            goals=frozen.goals,
            goals_hash=frozen.evidence_hash,
            cycle_is_open=True,
            at=decision.context.at,
            by=SYSTEM,
        )
        await decision.decide(REVIEW, frozen.review, command)


REACTION: Final = Reaction(
    name="take_frozen_goals_when_they_come", topics=(TOPIC,), react=one_by_one(react), starts="beginning"
)
