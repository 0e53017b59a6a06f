"""Totals of measurements in SQL: those that were not corrected count, summed exactly, whatever table they lie in."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Table, func, null, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from services.goals.domain.kpi_value import Totals

_NOTHING: Final = Decimal(0)


def counting(table: Table) -> ColumnElement[bool]:
    """The measurement was not corrected; a correction may lie in the table before what it corrects."""
    correction = table.alias("correction")
    return ~select(correction.c.measurement).where(correction.c.corrects == table.c.measurement).exists()


def totals_columns(table: Table, *, last: bool) -> list[ColumnElement[Any]]:
    """The columns of `totals_of`; the last value costs a sort, so it is asked for."""
    c = table.c
    newest = aggregate_order_by(c.value, c.measured_at.desc(), c.measurement.collate("C").desc())
    return [
        func.count(),
        func.count(c.value),
        func.coalesce(func.sum(c.value), _NOTHING),
        func.coalesce(func.sum(c.numerator), _NOTHING),
        func.coalesce(func.sum(c.denominator), _NOTHING),
        func.min(c.value),
        func.max(c.value),
        func.array_agg(newest).filter(c.value.is_not(None))[1] if last else null(),
    ]


def totals_of(row: Row[Any] | Sequence[Any]) -> Totals:
    return Totals(*row)
