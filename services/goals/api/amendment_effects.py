"""What an approved amendment does to the goals it is about, in the transaction that changes the plan."""

from collections.abc import Sequence
from typing import Any

from services.goals.api.cancelling import cancelled
from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_access import access_to
from services.goals.api.goal_edits import texts_now, works_here
from services.goals.api.goal_moves import rescheduled
from services.goals.api.permissions import CANCEL, EDIT, HAND_OVER
from services.goals.api.plan_effects import hold_goals, let_goals_go
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_closing import CancelGoalBody, ChildrenGo
from services.goals.domain.goal_dates import RescheduleGoalBody
from services.goals.domain.goal_lock import refuse_what_others_agreed
from services.goals.domain.goal_people import HandOverGoal
from services.goals.domain.goal_states import Active, Goal, NotSet
from services.goals.domain.goal_target import RetargetGoal
from services.goals.domain.goal_wording import RetitleGoal
from services.goals.domain.metric import MetricBody
from services.goals.domain.plan_sides import PlanScope
from services.goals.domain.plan_states import Agreed
from services.goals.domain.planned_goals import GoalFact
from services.goals.projections import goal_graph
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from shared.privacy.vault import ERASED, Vault
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_plans import GoalAmendmentProposed, GoalChange, GoalHandover
from shared.schemas.identifiers import GoalPlanId
from shared.schemas.personal_text import PersonalText


class Amending:
    """One amendment of one plan, as it is carried out by who approves it."""

    def __init__(self, vault: Vault, edge: GoalsEdge, plan: GoalPlanId, amendment: GoalAmendmentProposed) -> None:
        self._vault = vault
        self._edge = edge
        self._plan = plan
        self._amendment = amendment
        self._given: dict[str, Any] = {**edge.given, "amendment": amendment.amendment}

    async def carry_out(self, decision: Decision, before: Agreed, facts: Sequence[GoalFact]) -> None:
        """Goals leave, join and change; the graph's lock is held already."""
        amendment, had = self._amendment, {weight.goal for weight in before.weights}
        await self._refuse(decision, before.scope)
        gone = had - {weight.goal for weight in amendment.weights}
        await let_goals_go(decision, self._edge, self._plan, sorted(gone))
        for item in amendment.cancellations:
            body = CancelGoalBody(
                reason=item.reason, children=None if item.children is None else ChildrenGo(item.children), to=item.to
            )
            await cancelled(self._edge, item.goal, body, amendment=amendment.amendment)(decision)
        for item in amendment.handovers:
            await self._hand_over(decision, item)
        joining = [fact for fact in facts if fact.goal not in had]
        await hold_goals(decision, self._edge, self._plan, before.scope.level, joining)
        for change in amendment.changes:
            await self._change(decision, change)
        await goal_graph.write(decision)

    async def tried(self, decision: Decision, before: Agreed, facts: Sequence[GoalFact]) -> None:
        """Carry it out and take it back: what could never be approved is not proposed.

        Raises:
            Rejected: a rule of a goal forbids it.
        """
        mark = decision.mark()
        async with decision.connection.begin_nested() as savepoint:
            await self.carry_out(decision, before, facts)
            await savepoint.rollback()
        decision.back_to(mark)

    async def _refuse(self, decision: Decision, scope: PlanScope) -> None:
        """What the plans that hold a goal too, and the table that says who may do what with it, do not let happen."""
        amendment = self._amendment
        leaving = [(CANCEL, item.goal) for item in amendment.cancellations]
        leaving += [(HAND_OVER, item.goal) for item in amendment.handovers]
        for action, goal in (*leaving, *((EDIT, change.goal) for change in amendment.changes)):
            state = (await decision.load(GOAL, goal)).state
            refuse_what_others_agreed(state, self._plan, level=scope.level, leaves=action != EDIT)
            if self._edge.caller.person != scope.owner:
                await self._require(decision, action, state)

    async def _require(self, decision: Decision, action: str, state: Goal) -> None:
        """The other side answers for what happens to a goal above a person's own, and must have the right to it.

        It takes part in each amendment, as who proposes it or as who approves it.
        """
        if not isinstance(state, NotSet) and state.level is not GoalLevel.PERSON:
            (await access_to(decision.connection, self._edge.caller, state)).require(action, f"{state.level} goal")

    async def _hand_over(self, decision: Decision, item: GoalHandover) -> None:
        state = (await decision.load(GOAL, item.goal)).state
        texts = await texts_now(self._vault, state)
        employed = await works_here(decision.connection, item.to, on=self._edge.now.date())
        command = HandOverGoal(owner=item.to, reason=item.reason, texts=texts, employed=employed, **self._given)
        await decision.decide(GOAL, item.goal, command)

    async def _change(self, decision: Decision, change: GoalChange) -> None:
        state: Goal = (await decision.load(GOAL, change.goal)).state
        if change.title is not None:
            texts, title = await texts_now(self._vault, state), await self._in_clear(change.title)
            await decision.decide(GOAL, change.goal, RetitleGoal(title=title, texts=texts, **self._given))
        if change.metric is not None:
            metric = MetricBody.model_validate(change.metric.model_dump())
            await decision.decide(GOAL, change.goal, RetargetGoal(metric=metric, **self._given))
        if change.starts_on is not None or change.ends_on is not None:
            await self._reschedule(decision, change, state)

    async def _reschedule(self, decision: Decision, change: GoalChange, state: Goal) -> None:
        if not isinstance(state, Active):
            raise Rejected("goal-is-not-active", state=type(state).__name__)
        body = RescheduleGoalBody(
            starts_on=change.starts_on or state.starts_on, ends_on=change.ends_on or state.ends_on
        )
        command = await rescheduled(self._edge, change.goal, body)(decision, state)
        agreed = command.model_copy(update={"amendment": self._amendment.amendment})
        await decision.decide(GOAL, change.goal, agreed)

    async def _in_clear(self, title: PersonalText | str) -> str:
        if not isinstance(title, PersonalText):
            return title
        if title.clear is not None:
            return title.clear
        opened = (await self._vault.open([title]))[0]
        if opened is ERASED:
            raise Rejected("erased-title-must-be-written-anew", amendment=self._amendment.amendment)
        return opened
