"""KPIs, read: one, many, what was measured, and the course of it."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.goals.api.edge import AtEdge
from services.goals.api.kpi_access import KpiAccess, kpi_access
from services.goals.domain.kpi_value import KpiStatus, Totals, aggregated, aggregations_of, reaches, status_of
from services.goals.projections import kpi_series, kpis
from services.goals.projections.kpi_series import MeasurementRow, Step
from services.goals.projections.kpis import KpiRow, KpiState
from shared.eventsourcing.decider import Rejected
from shared.runtime.authorization import READ, needs
from shared.runtime.http import Edge
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import KpiId, PersonId
from shared.schemas.kpis import KpiAggregation, KpiDirection, KpiKind, KpiThresholds
from shared.schemas.values import DecimalString, Known


class KpiView(BaseModel):
    """A KPI as it stands; target and thresholds in its unit, `per` is what a ratio is multiplied by."""

    id: KpiId
    version: int
    state: KpiState
    code: str
    name: str
    kind: KpiKind
    unit: str | None
    per: DecimalString
    direction: KpiDirection
    aggregation: KpiAggregation
    target: DecimalString | None
    thresholds: KpiThresholds | None
    owner: PersonId
    source: str


class KpiDetail(KpiView):
    """A KPI, and what the caller may do with it."""

    allowed_actions: list[str]


class MeasurementView(BaseModel):
    """A measurement; one that was corrected stays visible and no longer counts."""

    id: str
    measured_at: datetime
    measured_on: date = Field(description="Its day in the company's zone.")
    value: DecimalString | None
    numerator: DecimalString | None
    denominator: DecimalString | None
    source: str
    late_days: int = Field(description="Days between its time and its arrival.")
    corrects: str | None
    reason: str | None
    corrected_by: str | None
    recorded_at: datetime


class KpiPoint(BaseModel):
    """The KPI's value over the measurements of a span that count; null where they have none."""

    starts_on: date
    value: DecimalString | None
    status: KpiStatus
    reaches_target: bool | None
    measurements: int


class KpiCourse(BaseModel):
    """The points in which anything was measured, the earliest first, and the value over all of them."""

    kpi: KpiId
    aggregation: KpiAggregation
    by: Step
    points: list[KpiPoint]
    value: DecimalString | None
    status: KpiStatus
    measurements: int


def kpi_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/kpis", tags=["KPIs"])

    @routes.get("", summary="KPIs by their codes")
    @needs("kpi", READ)
    async def list_kpis(
        edge: AtEdge, page: AskedPage, owner: PersonId | None = None, state: KpiState | None = None
    ) -> Page[KpiView]:
        await runtime.wait(kpis.PROJECTION.name, edge.consistency)
        after = page.after(tuple[str])
        async with runtime.reading.connect() as connection:
            (await kpi_access(connection, edge.caller, edge.caller.person)).require(edge.action, "KPI")
            rows = await kpis.listed(
                connection, owner=owner, state=state, after=after[0] if after else None, limit=page.limit + 1
            )
        return page.of(rows, key=lambda row: (row.code,), item=_view)

    @routes.get("/{kpi}", summary="One KPI")
    @needs("kpi", READ)
    async def show_kpi(kpi: KpiId, edge: AtEdge) -> KpiDetail:
        row, access = await _seen(runtime, edge, kpi)
        edge.response.headers["ETag"] = f'"{row.version}"'
        allowed = access.allowed(current=row.state is KpiState.CURRENT)
        return KpiDetail(**_view(row).model_dump(), allowed_actions=allowed)

    @routes.get("/{kpi}/measurements", summary="What was measured of a KPI, corrected measurements too")
    @needs("kpi", READ)
    async def list_measurements(kpi: KpiId, edge: AtEdge, page: AskedPage) -> Page[MeasurementView]:
        await _seen(runtime, edge, kpi)
        await runtime.wait(kpi_series.PROJECTION.name, edge.consistency)
        after = page.after(tuple[datetime, str])
        async with runtime.reading.connect() as connection:
            rows = await kpi_series.measurements(connection, kpi, after=after, limit=page.limit + 1)
        return page.of(rows, key=lambda row: (row.measured_at, row.measurement), item=_measurement)

    @routes.get("/{kpi}/series", summary="The course of a KPI by day, week, month or quarter")
    @needs("kpi", READ)
    async def show_series(
        *,
        kpi: KpiId,
        edge: AtEdge,
        by: Step = Step.MONTH,
        aggregation: Annotated[
            Known[KpiAggregation] | None, Query(description="Left out: the KPI's usual one.")
        ] = None,
        first: Annotated[date | None, Query(alias="from", description="The first day that counts.")] = None,
        last: Annotated[date | None, Query(alias="to", description="The last day that counts.")] = None,
    ) -> KpiCourse:
        row, _ = await _seen(runtime, edge, kpi)
        how = aggregation or row.aggregation
        if how not in (fitting := aggregations_of(row.kind)):
            raise Rejected("kpi-aggregation-must-fit-its-kind", kind=row.kind, aggregation=how, fitting=sorted(fitting))
        await runtime.wait(kpi_series.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            points = await kpi_series.series(connection, kpi, by, first=first, last=last)
            whole = await kpi_series.totals(connection, kpi, first=first, last=last)
        course = [_point(row, how, starts_on, totals) for starts_on, totals in points]
        together = _point(row, how, date.min, whole)
        return KpiCourse(
            kpi=kpi,
            aggregation=how,
            by=by,
            points=course,
            value=together.value,
            status=together.status,
            measurements=whole.count,
        )

    return routes


async def _seen(runtime: Runtime, edge: Edge, kpi: KpiId) -> tuple[KpiRow, KpiAccess]:
    await runtime.wait(kpis.PROJECTION.name, edge.consistency)
    async with runtime.reading.connect() as connection:
        row = await kpis.find(connection, kpi)
        if row is None:
            raise not_found("KPI", kpi)
        access = await kpi_access(connection, edge.caller, row.owner)
    access.require(edge.action, f"KPI {kpi}")
    return row, access


def _point(row: KpiRow, how: KpiAggregation, starts_on: date, totals: Totals) -> KpiPoint:
    value = aggregated(totals, how, row.per)
    return KpiPoint(
        starts_on=starts_on,
        value=value,
        status=status_of(value, row.direction, row.thresholds),
        reaches_target=reaches(value, row.target, row.direction),
        measurements=totals.count,
    )


def _view(row: KpiRow) -> KpiView:
    return KpiView(
        id=row.kpi,
        version=row.version,
        state=row.state,
        code=row.code,
        name=row.name,
        kind=row.kind,
        unit=row.unit,
        per=row.per,
        direction=row.direction,
        aggregation=row.aggregation,
        target=row.target,
        thresholds=row.thresholds,
        owner=row.owner,
        source=row.source,
    )


def _measurement(row: MeasurementRow) -> MeasurementView:
    return MeasurementView(
        id=row.measurement,
        measured_at=row.measured_at,
        measured_on=row.measured_on,
        value=row.value,
        numerator=row.numerator,
        denominator=row.denominator,
        source=row.source,
        late_days=row.late_days,
        corrects=row.corrects,
        reason=row.reason,
        corrected_by=row.corrected_by,
        recorded_at=row.recorded_at,
    )
