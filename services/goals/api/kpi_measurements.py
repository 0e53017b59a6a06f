"""Measurements of KPIs: one, ten thousand in one request, or a CSV file; each is answered for itself."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, Field, WithJsonSchema

from services.goals.api import kpi_examples as examples
from services.goals.api.csv_rows import rows_of
from services.goals.api.edge import AtEdge
from services.goals.api.kpi_access import kpi_access
from services.goals.api.many_measurements import ManyMeasurements, MeasuredTogether, RecordMeasurements
from services.goals.api.permissions import MEASURE
from services.goals.domain.kpi import KPI, NotDefined
from services.goals.domain.kpi_month import (
    MeasurementAnswer,
    MeasurementBody,
    MeasurementOutcome,
    ReportedMeasurement,
)
from shared.eventsourcing.decider import RequestBody
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.authorization import needs
from shared.runtime.http import CONSISTENCY, Edge
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import KpiId

MOST: Final = 10_000
"""Measurements in one request."""
_FILE: Final = {
    "requestBody": {
        "required": True,
        "description": "UTF-8, with a heading; separated by commas or semicolons. A line without an id gets one from "
        "its KPI, time and source. A bare date is the beginning of that day in the company's zone.",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": examples.CSV}},
    }
}


class Measured(BaseModel):
    """A measurement that was recorded, now or before."""

    id: str
    outcome: MeasurementOutcome


class MeasurementsBody(RequestBody):
    """One that is malformed or refused stops no other."""

    measurements: Annotated[
        list[Any],
        Field(max_length=MOST),
        WithJsonSchema({"type": "array", "maxItems": MOST, "items": ReportedMeasurement.model_json_schema()}),
    ]


def kpi_measurement_routes(runtime: Runtime, record: RecordMeasurements) -> APIRouter:
    routes = APIRouter(prefix="/kpis", tags=["KPIs"])
    zone = ZoneInfo(runtime.settings.company_zone)

    @routes.post("/measurements", summary="Record up to 10,000 measurements, each answered for itself")
    @needs("kpi", MEASURE)
    async def record_many(
        body: Annotated[MeasurementsBody, Body(openapi_examples=examples.MEASUREMENTS)], edge: AtEdge
    ) -> MeasuredTogether:
        return await ManyMeasurements(runtime, edge, record, zone).answered(enumerate(body.measurements))

    @routes.post("/measurements/csv", summary="Record the measurements of a CSV file, by line", openapi_extra=_FILE)
    @needs("kpi", MEASURE)
    async def record_file(request: Request, edge: AtEdge) -> MeasuredTogether:
        rows = rows_of(await request.body(), zone, most=MOST)
        return await ManyMeasurements(runtime, edge, record, zone).answered(rows)

    @routes.post("/{kpi}/measurements", status_code=201, summary="Record one measurement of a KPI")
    @needs("kpi", MEASURE)
    async def record_one(
        kpi: KpiId, body: Annotated[MeasurementBody, Body(openapi_examples=examples.MEASUREMENT)], edge: AtEdge
    ) -> Measured:
        code = await _measurable(runtime, edge, kpi)
        reported = ReportedMeasurement.model_validate({**dict(body), "id": body.id or str(uuid7()), "kpi": code})
        told: dict[str, Any] = {}

        async def plan(decision: Decision) -> None:
            answers = await record(decision, [reported], zone, edge.policy)
            told.update(_told(answers[0]))

        def answer(_identity: UUID, _version: int, _state: Any) -> Mapping[str, Any]:
            return told

        outcome = (await runtime.handler.handle_together(edge.context, plan, answer=answer))[0]
        edge.response.headers[CONSISTENCY] = f"{outcome.partition}-{outcome.position}"
        return Measured.model_validate(outcome.answer)

    return routes


async def _measurable(runtime: Runtime, edge: Edge, kpi: KpiId) -> str:
    """The code of a KPI that the caller may measure."""
    async with runtime.reading.connect() as connection:
        state = (await runtime.handler.load(connection, KPI, kpi)).state
        if isinstance(state, NotDefined):
            raise not_found("KPI", kpi)
        (await kpi_access(connection, edge.caller, state.owner)).require(edge.action, f"KPI {kpi}")
    return state.code


def _told(answer: MeasurementAnswer) -> dict[str, Any]:
    if answer.refusal is not None:
        raise answer.refusal
    return {"id": answer.measurement, "outcome": answer.outcome}
