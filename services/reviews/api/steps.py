"""The steps of a review over HTTP: who may take one is asked first, then the review's rules decide."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter

from services.reviews.api.permissions import REVIEWS, Standing, allowed_actions, relations_to
from services.reviews.domain.review import REVIEW
from services.reviews.domain.review_commands import (
    AcknowledgeReview,
    AcknowledgeReviewBody,
    ApproveReview,
    CompleteReview,
    ManagerAssessmentBody,
    OpenManagerAssessment,
    ReleaseReview,
    SelfAssessmentBody,
    SubmitManagerAssessment,
    SubmitSelfAssessment,
)
from services.reviews.domain.review_cycle import REVIEW_CYCLE, Open, ReviewCycle
from services.reviews.domain.review_states import (
    EvidenceAsked,
    EvidenceFrozen,
    GoalsThen,
    NotOpened,
    Opened,
    Review,
    SelfAssessed,
    Terms,
)
from services.reviews.projections.evidence import feedback_for
from services.reviews.projections.review_sheet import EvidenceState
from shared.eventsourcing.decider import Command, RequestBody
from shared.eventsourcing.decision import Decision
from shared.runtime.authorization import Relation, needs
from shared.runtime.http import AtEdge, CommandAnswer, Edge
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import ReviewId

Facts = Callable[[Decision, Terms, ReviewCycle], Awaitable[dict[str, Any]]]
"""What a command needs to know beside its body and whether the cycle is open."""


async def _no_facts(_decision: Decision, _terms: Terms, _cycle: ReviewCycle) -> dict[str, Any]:
    return {}


async def _period(_decision: Decision, _terms: Terms, cycle: ReviewCycle) -> dict[str, Any]:
    """In a cycle that is not open no step is taken, whatever its days."""
    match cycle:
        case Open(starts_on=starts_on, ends_on=ends_on):
            return {"starts_on": starts_on, "ends_on": ends_on}
        case _:
            return {"starts_on": date.min, "ends_on": date.min}


async def _feedback(decision: Decision, terms: Terms, cycle: ReviewCycle) -> dict[str, Any]:
    """What the person was given in the cycle's days and may see, as published until this moment."""
    days = await _period(decision, terms, cycle)
    return {"feedback": await feedback_for(decision.connection, terms.person, **days)}


class _NoWords(RequestBody):
    """A step that needs no words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One kind of step: the action that the permissions know, and the command."""

    command: type[Command]
    facts: Facts = _no_facts


_SELF_ASSESS = Step(command=SubmitSelfAssessment, facts=_period)
_OPEN_ASSESSMENT = Step(command=OpenManagerAssessment, facts=_period)
_ASSESS = Step(command=SubmitManagerAssessment, facts=_feedback)
_APPROVE = Step(command=ApproveReview)
_RELEASE = Step(command=ReleaseReview)
_ACKNOWLEDGE = Step(command=AcknowledgeReview)
_COMPLETE = Step(command=CompleteReview)


def step_routes(runtime: Runtime) -> APIRouter:
    """The steps, in the order in which a review takes them."""
    routes = APIRouter(prefix="/reviews/{review}", tags=["reviews"])

    @routes.post("/self-assessment", summary="Say how you see your own work")
    @needs("review", "self-assess")
    async def submit_self_assessment(review: ReviewId, body: SelfAssessmentBody, edge: AtEdge) -> CommandAnswer:
        return await _take(runtime, _SELF_ASSESS, review, body, edge)

    @routes.post("/manager-assessment/open", summary="Begin the manager's assessment: the person's goals are frozen")
    @needs("review", "open-assessment")
    async def open_manager_assessment(review: ReviewId, edge: AtEdge) -> CommandAnswer:
        """Needed where the person does not assess themselves; their self-assessment opens it too."""
        return await _take(runtime, _OPEN_ASSESSMENT, review, _NoWords(), edge)

    @routes.post("/manager-assessment", summary="Rate the person's work, by the evidence that was frozen")
    @needs("review", "assess")
    async def submit_manager_assessment(review: ReviewId, body: ManagerAssessmentBody, edge: AtEdge) -> CommandAnswer:
        return await _take(runtime, _ASSESS, review, body, edge)

    @routes.post("/approve", summary="Approve the assessment, as a second person")
    @needs("review", "approve")
    async def approve(review: ReviewId, edge: AtEdge) -> CommandAnswer:
        return await _take(runtime, _APPROVE, review, _NoWords(), edge)

    @routes.post("/release", summary="Let the person read the assessment")
    @needs("review", "release")
    async def release(review: ReviewId, edge: AtEdge) -> CommandAnswer:
        return await _take(runtime, _RELEASE, review, _NoWords(), edge)

    @routes.post("/acknowledge", summary="Say that you have read it, with a comment or without")
    @needs("review", "acknowledge")
    async def acknowledge(review: ReviewId, edge: AtEdge, body: AcknowledgeReviewBody | None = None) -> CommandAnswer:
        return await _take(runtime, _ACKNOWLEDGE, review, body or AcknowledgeReviewBody(), edge)

    @routes.post("/complete", summary="Complete the review and hand the result on")
    @needs("review", "complete")
    async def complete(review: ReviewId, edge: AtEdge) -> CommandAnswer:
        return await _take(runtime, _COMPLETE, review, _NoWords(), edge)

    return routes


async def _take(runtime: Runtime, step: Step, review: ReviewId, body: RequestBody, edge: Edge) -> CommandAnswer:
    """Decide the step on the review while its cycle stays as it is."""
    relations: set[Relation] = set()

    async def plan(decision: Decision) -> None:
        state = (await decision.load(REVIEW, review)).state
        if isinstance(state, NotOpened):
            raise not_found("review", review)
        relations.update(await relations_to(decision.connection, edge.caller, _standing(state)))
        REVIEWS.require(edge.action, edge.caller, relations, of=f"review {review}")
        cycle = (await decision.hold(REVIEW_CYCLE, state.terms.cycle)).state
        facts = await step.facts(decision, state.terms, cycle)
        is_open = isinstance(cycle, Open)
        command = step.command.from_body(body, at=edge.now, by=edge.caller.person, cycle_is_open=is_open, **facts)
        await decision.decide(REVIEW, review, command)

    def actions(state: Review) -> list[str]:
        return allowed_actions(_standing(state), edge.caller, relations)

    outcomes = await runtime.handler.handle_together(edge.context, plan, answer=edge.describe(actions))
    return edge.accepted(outcomes[0])


def _standing(review: Review) -> Standing:
    assessor, evidence = None, EvidenceState.FROZEN
    match review:
        case NotOpened():
            raise TypeError("a review that was not opened has no standing")
        case Opened() | SelfAssessed():
            evidence = _evidence_of(review.goals)
        case _:
            assessor = review.assessment.assessor
    terms = review.terms
    return Standing(
        state=review.status, person=terms.person, manager=terms.manager, assessor=assessor, evidence=evidence
    )


def _evidence_of(goals: GoalsThen) -> EvidenceState:
    match goals:
        case None:
            return EvidenceState.NOT_REQUESTED
        case EvidenceAsked():
            return EvidenceState.REQUESTED
        case EvidenceFrozen():
            return EvidenceState.FROZEN
