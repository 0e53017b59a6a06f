"""Goal profiles, read: what a goal is about, what it stands for and is tied to, what was said of it last."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import access_to, reader
from services.goals.api.hidden_goals import hidden_among
from services.goals.domain.objective import band_of, feeds_pay, score_of
from services.goals.domain.policy import Policy
from services.goals.projections import goal_profiles, goal_tree, readable_goals
from services.goals.projections.goal_profiles import Profile
from services.goals.projections.goal_rows import GoalRow
from shared.privacy.vault import Vault
from shared.runtime.authorization import READ, needs
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_objectives import Commitment, ScoreBand
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString


class ObjectiveView(BaseModel):
    """How an objective stands: 0.00 to 1.00 by its key results, and what it was graded when it was closed."""

    commitment: Commitment
    score: DecimalString | None = Field(description="Weighted mean of its key results; null: none is measured.")
    band: ScoreBand | None = Field(description="Green from 0.70, yellow from 0.40, below that red: of grade or score.")
    grade: DecimalString | None
    comment: str | None = Field(description="Of who graded it.")
    feeds_pay: bool = Field(description="Whether a plan may weigh it, by the policy in force.")


class GoalProfile(BaseModel):
    """What a goal is about. A text reads `erased` where the person it speaks of was erased."""

    id: GoalId
    description: str | None
    values: tuple[str, ...]
    competencies: tuple[str, ...]
    tags: tuple[str, ...]
    contributors: tuple[PersonId, ...] = Field(description="Who works on it with its owner.")
    visibility: str | None = Field(description="Who sees it; null: as is usual at its level.")
    contributes_to: tuple[GoalId, ...] = Field(description="Besides its parent; shown there, never summed.")
    contributes_to_hidden: int = Field(description="Others of these, which the caller does not see.")
    carried_from: GoalId | None = Field(description="The goal of an earlier period that goes on in this one.")
    carried_from_hidden: int = Field(description="1 where it goes on from a goal that the caller does not see.")
    carried_to: GoalId | None = Field(description="The goal of a later period that this one goes on in.")
    carried_to_hidden: int = Field(description="1 where it goes on in a goal that the caller does not see.")
    agreements: list[UUID] = Field(description="The agreed plans that weigh it: it changes by their amendments alone.")
    objective: ObjectiveView | None = Field(description="Null: the goal is no objective.")
    confidence: int | None = Field(description="How sure somebody was last to reach the target, 0 to 10.")
    note: str | None = Field(description="The last one that came with progress.")
    reason: str | None = Field(description="Why it was cancelled or reopened, as a code.")
    comment: str | None = Field(description="Of who closed or reopened it.")
    children_hidden: int = Field(description="Goals below it that the caller does not see; they count all the same.")


def goal_profile_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.get("/{goal}/profile", summary="What a goal is about, stands for and is tied to")
    @needs("goal", READ)
    async def show_profile(goal: GoalId, edge: AtEdge) -> GoalProfile:
        for projection in (goal_tree.PROJECTION, goal_profiles.PROJECTION):
            await runtime.wait(projection.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            row = await readable_goals.find(connection, goal)
            profile = await goal_profiles.find(connection, goal)
            if row is None or profile is None:
                raise not_found("goal", goal)
            (await access_to(connection, edge.caller, row)).require(READ, f"goal {goal}")
            below = await readable_goals.hidden_below(connection, reader(edge.caller), goal)
        hidden = await hidden_among(runtime, edge.caller, _tied_to(profile))
        return await _view(runtime.vault, row, profile, _Hidden(below, hidden), edge.policy)

    return routes


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What the caller does not see: how many goals below this one, and which ones of those that it is tied to."""

    below: int
    tied: AbstractSet[GoalId]

    def seen(self, goal: GoalId | None) -> GoalId | None:
        return None if goal in self.tied else goal


def _tied_to(profile: Profile) -> set[GoalId]:
    tied = {*profile.contributes_to, profile.carried_from, profile.carried_to}
    return {goal for goal in tied if goal is not None}


async def _view(vault: Vault, row: GoalRow, profile: Profile, hidden: _Hidden, policy: Policy) -> GoalProfile:
    texts = await _opened(vault, profile)
    contributes_to = tuple(goal for goal in profile.contributes_to if goal not in hidden.tied)
    return GoalProfile(
        id=profile.goal,
        values=tuple(profile.values),
        competencies=tuple(profile.competencies),
        tags=tuple(profile.tags),
        contributors=tuple(row.contributors),
        visibility=row.visibility,
        contributes_to=contributes_to,
        contributes_to_hidden=len(profile.contributes_to) - len(contributes_to),
        carried_from=hidden.seen(profile.carried_from),
        carried_from_hidden=int(profile.carried_from in hidden.tied),
        carried_to=hidden.seen(profile.carried_to),
        carried_to_hidden=int(profile.carried_to in hidden.tied),
        agreements=list(profile.agreements),
        objective=await _objective(vault, row, profile, policy),
        confidence=profile.confidence,
        reason=profile.reason,
        children_hidden=hidden.below,
        **texts,
    )


async def _objective(vault: Vault, row: GoalRow, profile: Profile, policy: Policy) -> ObjectiveView | None:
    if profile.objective is None:
        return None
    graded, score = profile.grade, score_of(row.progress)
    known = score if graded is None else graded.grade
    said = None if graded is None else graded.comment
    return ObjectiveView(
        commitment=profile.objective,
        score=score if graded is None else graded.score,
        band=None if known is None else band_of(known),
        grade=graded and graded.grade,
        comment=str((await vault.open([said]))[0]) if isinstance(said, PersonalText) else said,
        feeds_pay=feeds_pay(profile.objective, policy),
    )


async def _opened(vault: Vault, profile: Profile) -> dict[str, str | None]:
    """The three texts in clear, opened all at once."""
    said = {"description": profile.description, "note": profile.note, "comment": profile.comment}
    sealed = {name: text for name, text in said.items() if isinstance(text, PersonalText)}
    opened = dict(zip(sealed, await vault.open(list(sealed.values())), strict=True))
    return {name: text if isinstance(text, str | None) else str(opened[name]) for name, text in said.items()}
