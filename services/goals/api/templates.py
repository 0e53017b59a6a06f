"""Goal templates: the library of goals, written by HR and read by everybody."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from services.goals.api import template_examples as examples
from services.goals.api.edge import AtEdge, GoalsEdge
from services.goals.api.permissions import DEFINE, RETIRE, REVISE, TEMPLATES
from services.goals.domain.goal_template import (
    TEMPLATE,
    CreateTemplate,
    Current,
    GoalTemplate,
    NotCreated,
    RetireTemplate,
    RetireTemplateBody,
    RewriteTemplate,
    TemplateBody,
    TemplateCommand,
)
from services.goals.projections import goal_templates
from services.goals.projections.goal_templates import TemplateRow, TemplateState
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.authorization import READ, needs
from shared.runtime.http import CommandAnswer
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_templates import TemplatedGoal
from shared.schemas.identifiers import GoalTemplateId


class TemplateView(BaseModel):
    """A template, and what each goal says that is set from it."""

    id: GoalTemplateId
    version: int
    state: TemplateState
    name: str = Field(description="What the library calls it.")
    goal: TemplatedGoal
    allowed_actions: list[str]


def template_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/templates", tags=["templates"])

    @routes.post("", status_code=201, summary="Keep a goal in the library, to be given to many")
    @needs("template", DEFINE)
    async def create_template(
        body: Annotated[TemplateBody, Body(openapi_examples=examples.TEMPLATE)], edge: AtEdge
    ) -> CommandAnswer:
        TEMPLATES.require(edge.action, edge.caller, of="template")
        command = CreateTemplate.from_body(body, at=edge.now, by=edge.caller.person)
        answer = edge.describe(_allowed(edge))
        outcome = await runtime.handler.handle(edge.context, TEMPLATE, uuid7(), command, answer=answer)
        return edge.accepted(outcome, location=f"{runtime.service.base_path}/templates/{outcome.identity}")

    @routes.post("/{template}/rewrite", summary="Have a template say something else from now on")
    @needs("template", REVISE)
    async def rewrite_template(
        template: GoalTemplateId, body: Annotated[TemplateBody, Body(openapi_examples=examples.TEMPLATE)], edge: AtEdge
    ) -> CommandAnswer:
        """All of it. Goals that were set from it stay as they are."""
        command = RewriteTemplate.from_body(body, at=edge.now, by=edge.caller.person)
        return await _accepted(runtime, edge, template, command)

    @routes.post("/{template}/retire", summary="Retire a template, which is given to nobody any more")
    @needs("template", RETIRE)
    async def retire_template(
        template: GoalTemplateId,
        body: Annotated[RetireTemplateBody, Body(openapi_examples=examples.RETIRE_TEMPLATE)],
        edge: AtEdge,
    ) -> CommandAnswer:
        command = RetireTemplate.from_body(body, at=edge.now, by=edge.caller.person)
        return await _accepted(runtime, edge, template, command)

    @routes.get("", summary="The library of goals, by their names")
    @needs("template", READ)
    async def list_templates(edge: AtEdge, page: AskedPage, state: TemplateState | None = None) -> Page[TemplateView]:
        TEMPLATES.require(edge.action, edge.caller, of="template")
        await runtime.wait(goal_templates.PROJECTION.name, edge.consistency)
        after = page.after(tuple[str, GoalTemplateId])
        async with runtime.reading.connect() as connection:
            rows = await goal_templates.listed(connection, state=state, after=after, limit=page.limit + 1)
        return page.of(rows, key=lambda row: (row.name, row.template), item=lambda row: _view(edge, row))

    @routes.get("/{template}", summary="One template")
    @needs("template", READ)
    async def show_template(template: GoalTemplateId, edge: AtEdge) -> TemplateView:
        TEMPLATES.require(edge.action, edge.caller, of="template")
        await runtime.wait(goal_templates.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            row = await goal_templates.find(connection, template)
        if row is None:
            raise not_found("template", template)
        edge.response.headers["ETag"] = f'"{row.version}"'
        return _view(edge, row)

    return routes


async def _accepted(
    runtime: Runtime, edge: GoalsEdge, template: GoalTemplateId, command: TemplateCommand
) -> CommandAnswer:
    TEMPLATES.require(edge.action, edge.caller, of="template")

    async def plan(decision: Decision) -> None:
        if isinstance((await decision.load(TEMPLATE, template)).state, NotCreated):
            raise not_found("template", template)
        await decision.decide(TEMPLATE, template, command)

    answer = edge.describe(_allowed(edge))
    return edge.accepted((await runtime.handler.handle_together(edge.context, plan, answer=answer))[0])


def _allowed(edge: GoalsEdge) -> Callable[[GoalTemplate], list[str]]:
    return lambda template: _actions(edge, current=isinstance(template, Current))


def _actions(edge: GoalsEdge, *, current: bool) -> list[str]:
    """Nothing is left to do with a retired one."""
    return TEMPLATES.allowed_actions((REVISE, RETIRE) if current else (), edge.caller)


def _view(edge: GoalsEdge, row: TemplateRow) -> TemplateView:
    return TemplateView(
        id=row.template,
        version=row.version,
        state=row.state,
        name=row.name,
        goal=row.goal,
        allowed_actions=_actions(edge, current=row.state is TemplateState.CURRENT),
    )
