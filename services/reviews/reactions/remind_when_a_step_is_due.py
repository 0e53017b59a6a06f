"""A step of a review that nobody has taken when its last day begins is reminded of, once, while the cycle is open."""

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from services.reviews.domain.review import REVIEW
from services.reviews.domain.review_commands import RemindOfStep
from services.reviews.domain.review_cycle import REVIEW_CYCLE, Open
from services.reviews.domain.review_states import NotOpened
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.timers import CancelTimer, DueTimer, Planned, SetTimer, Timers, start_of_day
from shared.privacy.vault import Vault
from shared.schemas.identifiers import SYSTEM
from shared.schemas.reviews import (
    TOPIC,
    ManagerAssessmentSubmitted,
    ReviewOpened,
    ReviewStep,
    ReviewStepDue,
    SelfAssessmentSubmitted,
    StepDeadlines,
)

_SELF: Final = ReviewStep.SELF_ASSESSMENT
_MANAGER: Final = ReviewStep.MANAGER_ASSESSMENT


def timers(_company_zone: ZoneInfo, _vault: Vault) -> Timers:
    """When steps are due: each policy names the zone of its deadlines."""
    return Timers(topic=TOPIC, plan=plan, fire={step.value: remind for step in (_SELF, _MANAGER)})


def plan(recorded: Recorded) -> Planned:
    """Each step's reminder has the step's name."""
    match recorded.event:
        case ReviewOpened(policy=policy) if policy.deadlines is not None:
            return _set(policy.deadlines)
        case SelfAssessmentSubmitted():
            return [CancelTimer(_SELF.value)]
        case ManagerAssessmentSubmitted():
            return [CancelTimer(_SELF.value), CancelTimer(_MANAGER.value)]
        case ReviewStepDue(step=step):
            return [CancelTimer(step.value)]
        case _:
            return []


def _set(deadlines: StepDeadlines) -> Planned:
    zone = ZoneInfo(deadlines.zone)
    days = {step: due_on for step in (_SELF, _MANAGER) if (due_on := _due_on(deadlines, step)) is not None}
    moments = {step: start_of_day(due_on, zone) for step, due_on in days.items()}
    return [SetTimer(step.value, due_at) for step, due_at in moments.items() if due_at is not None]


def _due_on(deadlines: StepDeadlines, step: ReviewStep) -> date | None:
    return deadlines.self_assessment if step is _SELF else deadlines.manager_assessment


async def remind(decision: Decision, timer: DueTimer) -> None:
    """In a closed cycle nothing is due any more."""
    step, review = ReviewStep(timer.name), (await decision.load(REVIEW, timer.stream_id)).state
    if isinstance(review, NotOpened) or (deadlines := review.terms.policy.deadlines) is None:
        return
    cycle = (await decision.hold(REVIEW_CYCLE, review.terms.cycle)).state
    due_on = _due_on(deadlines, step)
    if due_on is None or not isinstance(cycle, Open):
        return
    command = RemindOfStep(
        step=step,
        due_on=due_on,
        zone=deadlines.zone,
        due_at=timer.due_at,
        late_seconds=timer.late_seconds,
        cycle_is_open=True,
        at=decision.context.at,
        by=SYSTEM,
    )
    await decision.decide(REVIEW, timer.stream_id, command)
