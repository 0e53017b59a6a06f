"""Goal policies: what may be chosen, what is chosen, what was; and adopt another one."""

from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, JsonValue

from services.goals import domain
from services.goals.api import examples
from services.goals.api.edge import AtEdge
from services.goals.api.permissions import ADOPT, POLICIES
from services.goals.domain.policy import Option, Policy, options
from services.goals.domain.policy_adoption import ADOPTION, THE_COMPANYS, AdoptPolicy, AdoptPolicyBody
from services.goals.domain.policy_presets import PRESETS
from services.goals.projections import goal_policies
from services.goals.projections.goal_policies import PolicyRow
from shared.runtime.authorization import READ, needs
from shared.runtime.http import CommandAnswer
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_policies import Preset
from shared.schemas.identifiers import PersonId


class OptionView(BaseModel):
    """One thing that may be chosen; `value` is the one in force, `type` a JSON Schema of what it may be."""

    name: str
    means: str
    value: JsonValue
    default: JsonValue
    type: Mapping[str, Any]


class PolicyInForce(BaseModel):
    """Under which policy commands are decided now, and what each of its options says."""

    version: str
    options: list[OptionView]


class PolicyView(BaseModel):
    """A policy as it was adopted; the highest number is in force."""

    version: str
    number: int
    preset: Preset | None
    options: Mapping[str, JsonValue]
    reason: str
    adopted_by: PersonId
    adopted_at: datetime


def policy_routes(runtime: Runtime) -> APIRouter:
    load_options()
    routes = APIRouter(prefix="/policies", tags=["policies"])

    @routes.post("", status_code=201, summary="Adopt a policy: a preset or the one in force, with what you change")
    @needs("policy", ADOPT)
    async def adopt_policy(
        body: Annotated[AdoptPolicyBody, Body(openapi_examples=examples.ADOPT_POLICY)], edge: AtEdge
    ) -> CommandAnswer:
        POLICIES.require(edge.action, edge.caller, of="policy")
        command = AdoptPolicy.from_body(body, at=edge.now, by=edge.caller.person)
        answer = edge.describe(lambda _adoption: POLICIES.allowed_actions([ADOPT], edge.caller))
        return edge.accepted(
            await runtime.handler.handle(edge.context, ADOPTION, THE_COMPANYS, command, answer=answer),
            location=f"{runtime.service.base_path}/policies/in-force",
        )

    @routes.get("", summary="The policies that were adopted, the newest first")
    @needs("policy", READ)
    async def list_policies(edge: AtEdge, page: AskedPage) -> Page[PolicyView]:
        POLICIES.require(edge.action, edge.caller, of="policy")
        await runtime.wait(goal_policies.PROJECTION.name, edge.consistency)
        before = page.after(tuple[int])
        async with runtime.reading.connect() as connection:
            rows = await goal_policies.adopted(connection, before=before and before[0], limit=page.limit + 1)
        return page.of(rows, key=lambda row: (row.number,), item=_view)

    @routes.get("/in-force", summary="What is decided by now, and what else could be chosen")
    @needs("policy", READ)
    async def show_policy_in_force(edge: AtEdge) -> PolicyInForce:
        POLICIES.require(edge.action, edge.caller, of="policy")
        shown = [_option(option, edge.policy) for _, option in sorted(options().items())]
        return PolicyInForce(version=edge.policy.version, options=shown)

    @routes.get("/presets", summary="Policies to start from: what each chooses otherwise than by default")
    @needs("policy", READ)
    async def list_presets(edge: AtEdge) -> Mapping[Preset, Mapping[str, JsonValue]]:
        POLICIES.require(edge.action, edge.caller, of="policy")
        return PRESETS

    @routes.get("/{version}", summary="One policy, by the version that events name")
    @needs("policy", READ)
    async def show_policy(version: str, edge: AtEdge) -> PolicyView:
        POLICIES.require(edge.action, edge.caller, of="policy")
        await runtime.wait(goal_policies.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            row = await goal_policies.find(connection, version)
        if row is None:
            raise not_found("policy", version)
        return _view(row)

    return routes


def load_options() -> None:
    """Import every rule of the domain, so that all that may be chosen is declared."""
    for module in iter_modules(domain.__path__):
        import_module(f"{domain.__name__}.{module.name}")


def _option(option: Option[Any], policy: Policy) -> OptionView:
    return OptionView(
        name=option.name,
        means=option.means,
        value=option.write(policy[option]),
        default=option.write(option.default),
        type=option.schema,
    )


def _view(row: PolicyRow) -> PolicyView:
    return PolicyView(
        version=row.version,
        number=row.number,
        preset=row.preset,
        options=row.options,
        reason=row.reason,
        adopted_by=row.adopted_by,
        adopted_at=row.adopted_at,
    )
