"""KPIs, written: define, revise the target, rename, hand over, change the source, retire."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.goals.api import kpi_examples as examples
from services.goals.api.edge import AtEdge
from services.goals.api.kpi_access import kpi_access, permitted_kpi
from services.goals.api.permissions import DEFINE, HAND_OVER, RETIRE, REVISE
from services.goals.domain.kpi import (
    KPI,
    ChangeKpiSource,
    ChangeKpiSourceBody,
    DefineKpi,
    DefineKpiBody,
    HandOverKpi,
    HandOverKpiBody,
    KpiCommand,
    RenameKpi,
    RenameKpiBody,
    RetireKpi,
    RetireKpiBody,
    ReviseKpiTarget,
    ReviseKpiTargetBody,
)
from services.goals.projections.kpis import kpi_id
from shared.people.population import exists
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer, Edge
from shared.runtime.problems import FieldError, invalid
from shared.runtime.service import Runtime
from shared.schemas.identifiers import KpiId, PersonId


def kpi_command_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/kpis", tags=["KPIs"])

    @routes.post("", status_code=201, summary="Define a KPI")
    @needs("kpi", DEFINE)
    async def define_kpi(
        body: Annotated[DefineKpiBody, Body(openapi_examples=examples.DEFINE_KPI)], edge: AtEdge
    ) -> CommandAnswer:
        async with runtime.reading.connect() as connection:
            access = await kpi_access(connection, edge.caller, body.owner)
        access.require(edge.action, f"person {body.owner}")
        await _known_owner(runtime, body.owner)
        command = DefineKpi.from_body(body, at=edge.now, by=edge.caller.person)
        answer = edge.describe(access.actions)
        outcome = await runtime.handler.handle(edge.context, KPI, kpi_id(body.code), command, answer=answer)
        return edge.accepted(outcome, location=f"{runtime.service.base_path}/kpis/{outcome.identity}")

    @routes.post("/{kpi}/target", summary="Revise a KPI's target and thresholds")
    @needs("kpi", REVISE)
    async def revise_target(
        kpi: KpiId, body: Annotated[ReviseKpiTargetBody, Body(openapi_examples=examples.REVISE_TARGET)], edge: AtEdge
    ) -> CommandAnswer:
        command = ReviseKpiTarget.from_body(body, at=edge.now, by=edge.caller.person)
        return await _accepted(runtime, edge, kpi, command)

    @routes.post("/{kpi}/name", summary="Give a KPI another name")
    @needs("kpi", REVISE)
    async def rename_kpi(
        kpi: KpiId, body: Annotated[RenameKpiBody, Body(openapi_examples=examples.RENAME_KPI)], edge: AtEdge
    ) -> CommandAnswer:
        command = RenameKpi.from_body(body, at=edge.now, by=edge.caller.person)
        return await _accepted(runtime, edge, kpi, command)

    @routes.post("/{kpi}/source", summary="Say where a KPI's figures come from")
    @needs("kpi", REVISE)
    async def change_source(
        kpi: KpiId, body: Annotated[ChangeKpiSourceBody, Body(openapi_examples=examples.CHANGE_SOURCE)], edge: AtEdge
    ) -> CommandAnswer:
        command = ChangeKpiSource.from_body(body, at=edge.now, by=edge.caller.person)
        return await _accepted(runtime, edge, kpi, command)

    @routes.post("/{kpi}/hand-over", summary="Have somebody else answer for a KPI")
    @needs("kpi", HAND_OVER)
    async def hand_over_kpi(
        kpi: KpiId, body: Annotated[HandOverKpiBody, Body(openapi_examples=examples.HAND_OVER_KPI)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted_kpi(runtime, edge, kpi)
        await _known_owner(runtime, body.owner)
        command = HandOverKpi.from_body(body, at=edge.now, by=edge.caller.person)
        return edge.accepted(await runtime.handler.handle(edge.context, KPI, kpi, command, answer=answer))

    @routes.post("/{kpi}/retire", summary="Retire a KPI, of which nothing is measured any more")
    @needs("kpi", RETIRE)
    async def retire_kpi(
        kpi: KpiId, body: Annotated[RetireKpiBody, Body(openapi_examples=examples.RETIRE_KPI)], edge: AtEdge
    ) -> CommandAnswer:
        command = RetireKpi.from_body(body, at=edge.now, by=edge.caller.person)
        return await _accepted(runtime, edge, kpi, command)

    return routes


async def _accepted(runtime: Runtime, edge: Edge, kpi: KpiId, command: KpiCommand) -> CommandAnswer:
    answer = await permitted_kpi(runtime, edge, kpi)
    return edge.accepted(await runtime.handler.handle(edge.context, KPI, kpi, command, answer=answer))


async def _known_owner(runtime: Runtime, owner: PersonId) -> None:
    async with runtime.reading.connect() as connection:
        if not await exists(connection, owner):
            raise invalid([FieldError(field="owner", value=str(owner), message="is nobody we know")])
