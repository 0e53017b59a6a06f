"""Many measurements in one request: each read, permitted, decided and answered for itself, in short transactions."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final, TypeAlias

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from services.goals.api.edge import GoalsEdge
from services.goals.api.kpi_access import kpi_access
from services.goals.domain.kpi import KPI, NotDefined
from services.goals.domain.kpi_month import (
    MeasurementAnswer,
    MeasurementOutcome,
    ReportedMeasurement,
)
from services.goals.domain.policy import Policy
from services.goals.projections.kpis import kpi_id
from shared.eventsourcing.decision import Decision
from shared.runtime.failures import problem_of
from shared.runtime.http import CONSISTENCY
from shared.runtime.problems import ProblemDocument, forbidden
from shared.runtime.service import Runtime

RecordMeasurements: TypeAlias = Callable[
    [Decision, Sequence[ReportedMeasurement], tzinfo, Policy], Awaitable[list[MeasurementAnswer]]
]
_AT_ONCE: Final = 250
"""Measurements in one transaction: it must end within its time also on a machine that is overloaded."""


class MeasuredOfMany(BaseModel):
    """What became of one of many; `place` is where it stands in the request, from 0, or its line in the file."""

    place: int
    id: str | None
    outcome: MeasurementOutcome
    problem: ProblemDocument | None = Field(default=None, description="Why it was refused.")


class MeasuredTogether(BaseModel):
    """Every measurement of the request, in its order."""

    recorded: int
    already_recorded: int
    refused: int
    results: list[MeasuredOfMany]


class ManyMeasurements:
    """The measurements of one request, on their way to their answers."""

    def __init__(self, runtime: Runtime, edge: GoalsEdge, record: RecordMeasurements, zone: tzinfo) -> None:
        self._runtime = runtime
        self._edge = edge
        self._record = record
        self._zone = zone
        self._answers: dict[int, MeasuredOfMany] = {}
        self._reached: dict[int, int] = {}

    async def answered(self, items: Iterable[tuple[int, Any]]) -> MeasuredTogether:
        """Record what can be recorded, and tell of each what became of it."""
        readable = [(place, said) for place, item in items if (said := self._read(place, item)) is not None]
        permitted = await self._permitted(readable)
        for start in range(0, len(permitted), _AT_ONCE):
            await self._together(permitted[start : start + _AT_ONCE])
        self._edge.response.headers[CONSISTENCY] = ",".join(f"{p}-{at}" for p, at in sorted(self._reached.items()))
        results = [self._answers[place] for place in sorted(self._answers)]
        counts = {outcome: sum(one.outcome is outcome for one in results) for outcome in MeasurementOutcome}
        return MeasuredTogether(
            recorded=counts[MeasurementOutcome.RECORDED],
            already_recorded=counts[MeasurementOutcome.ALREADY_RECORDED],
            refused=counts[MeasurementOutcome.REFUSED],
            results=results,
        )

    def _read(self, place: int, item: Any) -> ReportedMeasurement | None:
        try:
            return ReportedMeasurement.model_validate(item)
        except ValidationError as error:
            wrong = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
            name = item.get("id") if isinstance(item, dict) else None
            self._refuse(place, name if isinstance(name, str) else None, RequestValidationError(wrong))
            return None

    async def _permitted(
        self, measurements: Sequence[tuple[int, ReportedMeasurement]]
    ) -> list[tuple[int, ReportedMeasurement]]:
        """Those of KPIs that the caller may measure; a KPI that is not defined is refused by its rule."""
        forbidden_codes = await self._forbidden({said.kpi for _, said in measurements})
        for place, said in measurements:
            if said.kpi in forbidden_codes:
                self._refuse(place, said.id, forbidden(self._edge.action))
        return [(place, said) for place, said in measurements if said.kpi not in forbidden_codes]

    async def _forbidden(self, codes: set[str]) -> set[str]:
        found: set[str] = set()
        async with self._runtime.reading.connect() as connection:
            for code in codes:
                state = (await self._runtime.handler.load(connection, KPI, kpi_id(code))).state
                if isinstance(state, NotDefined):
                    continue
                if not (await kpi_access(connection, self._edge.caller, state.owner)).allows(self._edge.action):
                    found.add(code)
        return found

    async def _together(self, measurements: Sequence[tuple[int, ReportedMeasurement]]) -> None:
        """Ids make a repeated request safe: an idempotency key could be kept for one part of it alone."""
        answers: list[MeasurementAnswer] = []

        async def plan(decision: Decision) -> None:
            reported = [said for _, said in measurements]
            answers[:] = await self._record(decision, reported, self._zone, self._edge.policy)

        context = replace(self._edge.context, idempotency=None, expected_version=None)
        for outcome in await self._runtime.handler.handle_together(context, plan):
            self._reached[outcome.partition] = max(outcome.position, self._reached.get(outcome.partition, 0))
        for (place, _), answer in zip(measurements, answers, strict=True):
            if answer.refusal is not None:
                self._refuse(place, answer.measurement, answer.refusal)
            else:
                self._answers[place] = MeasuredOfMany(place=place, id=answer.measurement, outcome=answer.outcome)

    def _refuse(self, place: int, name: str | None, error: Exception) -> None:
        self._answers[place] = MeasuredOfMany(
            place=place, id=name, outcome=MeasurementOutcome.REFUSED, problem=problem_of(error).document
        )
