"""The period of a goal plan: any, or one that the company's calendar knows."""

from datetime import date, timedelta
from typing import Final

from services.goals.domain.policy import Option, Policy
from shared.eventsourcing.decider import Rejected
from shared.schemas.values import Known, OpenEnum


class Period(OpenEnum):
    """How long a plan lasts: any time, or a calendar's month, quarter, half-year or year."""

    ANY = "any"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"


PLAN_PERIOD: Final[Option[Period]] = Option(
    "plan-period", Known[Period], default=Period.ANY, means="the period that every new goal plan covers"
)
_MONTHS: Final = {Period.MONTH: 1, Period.QUARTER: 3, Period.HALF_YEAR: 6, Period.YEAR: 12}


def refuse_wrong_period(starts_on: date, ends_on: date, policy: Policy) -> None:
    """Raises Rejected: it ends before it starts, or is not one of the periods that the policy names."""
    if ends_on < starts_on:
        raise Rejected("goal-plan-must-not-end-before-it-starts", starts_on=starts_on, ends_on=ends_on)
    period = policy[PLAN_PERIOD]
    if period is not Period.ANY and not _is_one(starts_on, ends_on, _MONTHS[period]):
        raise Rejected("goal-plan-must-cover-a-period", starts_on=starts_on, ends_on=ends_on, period=period)


def _is_one(starts_on: date, ends_on: date, months: int) -> bool:
    if starts_on.day != 1 or (starts_on.month - 1) % months:
        return False
    day_after = ends_on + timedelta(days=1) if ends_on < date.max else None
    years, month = divmod(starts_on.month - 1 + months, 12)
    return day_after == date(starts_on.year + years, month + 1, 1) if starts_on.year + years <= date.max.year else False
