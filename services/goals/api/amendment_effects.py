"""What an approved amendment does to the goals it is about, in the transaction that changes the plan."""

from collections.abc import Sequence
from typing import Any

from services.goals.api.cancelling import cancelled
from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_edits import texts_now, works_here
from services.goals.api.goal_moves import rescheduled
from services.goals.api.plan_effects import hold_goals, let_goals_go
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_closing import CancelGoalBody, ChildrenGo
from services.goals.domain.goal_dates import RescheduleGoalBody
from services.goals.domain.goal_people import HandOverGoal
from services.goals.domain.goal_states import Active, Goal
from services.goals.domain.goal_target import RetargetGoal
from services.goals.domain.goal_wording import RetitleGoal
from services.goals.domain.metric import MetricBody
from services.goals.domain.plan_states import Agreed
from services.goals.domain.planned_goals import GoalFact
from services.goals.projections import goal_graph
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from shared.privacy.vault import ERASED, Vault
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
        await self._refuse_what_another_holds(decision)
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

    async def _refuse_what_another_holds(self, decision: Decision) -> None:
        """A person's plan may weigh what a team's or the organization's plan holds, and changes nothing of it."""
        amendment = self._amendment
        for item in (*amendment.cancellations, *amendment.handovers, *amendment.changes):
            state = (await decision.load(GOAL, item.goal)).state
            if isinstance(state, Active) and state.locked_by not in (None, self._plan):
                raise Rejected("goal-is-locked-by-another-agreement", agreement=self._plan, locked_by=state.locked_by)

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
