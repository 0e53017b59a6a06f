"""Measurement: what is known of a metric by the time it was measured, and how far the goal is by that."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from services.goals.domain.metric import Progress, keeps, progress_of, refuse_impossible, share
from shared.schemas.goal_metrics import Keep, KeepPeriod, Metric


@dataclass(frozen=True, slots=True)
class Reading:
    """A value and the moment that it speaks of, which is not the moment that it was written down."""

    value: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known: `latest` by business time, `recorded` last of all, and each period's latest (bounds to keep).

    Periods are known by their first day, in order; of two readings of one moment the one recorded later corrects.
    """

    start: Decimal | None = None
    latest: Reading | None = None
    recorded: Reading | None = None
    periods: tuple[tuple[date, Reading], ...] = ()

    @property
    def value(self) -> Decimal | None:
        return self.start if self.latest is None else self.latest.value

    def is_late(self, reading: Reading) -> bool:
        """Whether a reading of a later moment is known already."""
        return self.latest is not None and reading.at < self.latest.at


def unmeasured(metric: Metric | None) -> Measured:
    """Before the first reading: at the start, where the metric has one."""
    return Measured() if metric is None else Measured(start=metric.start)


def measured(metric: Metric, known: Measured, reading: Reading) -> Measured:
    """What is known with one reading more."""
    periods = known.periods if metric.keep is None else _with_period(metric.keep, known, reading)
    latest = known.latest if known.is_late(reading) else reading
    return replace(known, latest=latest, recorded=reading, periods=periods)


def progress_after(metric: Metric, known: Measured, reading: Reading) -> Progress:
    """How far the goal is by this reading; of bounds to keep, by all of them.

    Raises:
        Rejected: the metric's kind has no such value.
    """
    refuse_impossible(metric, reading.value)
    if metric.keep is None:
        return progress_of(metric, reading.value)
    return _share_kept(metric.keep, measured(metric, known, reading))


def progress_now(metric: Metric, known: Measured) -> Progress | None:
    """How far the goal is by all that is known; None: nothing was measured, and the metric has no start."""
    if metric.keep is not None:
        return _share_kept(metric.keep, known) if known.periods else None
    return None if known.value is None else progress_of(metric, known.value)


def first_day(period: KeepPeriod, day: date) -> date:
    """The first day of the period that the day lies in."""
    match period:
        case KeepPeriod.WEEK:
            return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))
        case KeepPeriod.MONTH:
            return day.replace(day=1)
        case KeepPeriod.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case _:
            return day


def _with_period(keep: Keep, known: Measured, reading: Reading) -> tuple[tuple[date, Reading], ...]:
    begins, by_first_day = first_day(keep.period, reading.at.date()), dict(known.periods)
    before = by_first_day.get(begins)
    if before is None or before.at <= reading.at:
        by_first_day[begins] = reading
    return tuple(sorted(by_first_day.items(), key=lambda period: period[0]))


def _share_kept(keep: Keep, known: Measured) -> Progress:
    """A period that nobody measured says nothing: it was neither kept nor broken."""
    return share(kept=sum(keeps(keep, reading.value) for _, reading in known.periods), of=len(known.periods))
