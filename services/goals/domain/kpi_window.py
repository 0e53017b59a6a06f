"""KPI windows: which days' measurements move a goal, by the goal's period and the latest day on which was measured."""

from datetime import date, timedelta

from shared.schemas.kpis import KpiWindow

_A_WEEK = timedelta(days=6)
_A_DAY = timedelta(days=1)


def days_of(window: KpiWindow, latest: date, starts_on: date, ends_on: date) -> tuple[date, date]:
    """The first and the last day that count, never outside the goal's period; a week begins on Monday."""
    match window:
        case KpiWindow.LATEST_DAY:
            first, last = latest, latest
        case KpiWindow.LATEST_WEEK:
            first = latest - timedelta(days=latest.weekday())
            last = first + _A_WEEK
        case KpiWindow.LATEST_MONTH:
            first, last = _months(latest, latest.month, 1)
        case KpiWindow.LATEST_QUARTER:
            first, last = _months(latest, (latest.month - 1) // 3 * 3 + 1, 3)
        case _:
            first, last = starts_on, ends_on
    return max(first, starts_on), min(last, ends_on)


def _months(day: date, first: int, count: int) -> tuple[date, date]:
    """So many months of the day's year, from the first one on."""
    after = first + count
    next_one = date(day.year + after // 13, (after - 1) % 12 + 1, 1)
    return date(day.year, first, 1), next_one - _A_DAY
