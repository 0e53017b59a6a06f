"""What the clients of the load do over and over, in the name of the company's head: a command, and a look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from launcher.demo_cycle.company import Company

_YEAR: Final = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
_CYCLE: Final = {
    "name": "Rolling review",
    "policy": {"version": "1", "sections": [{"name": "goals", "weight": "100"}], "levels": []},
    **_YEAR,
}
_POOL: Final = {"name": "Rolling merit", "amount": {"amount": "10000.00", "currency": "USD"}}


@dataclass(frozen=True, slots=True)
class Work:
    """One service's share of the load."""

    service: str
    command: str
    body: Mapping[str, Any]
    look: str
    shown_in: str
    """The table that has one row for each accepted command."""


def works(company: Company) -> tuple[Work, ...]:
    """One for each service."""
    report = str(company.reports[company.head.person][0].person)
    goal = {
        "level": "person",
        "owner": report,
        "title": "Answer within a day",
        "metric": {"kind": "number", "start": "10", "target": "0", "unit": "hours"},
        **_YEAR,
    }
    praise = {
        "receiver": report,
        "kind": "praise",
        "visibility": "receiver-and-manager",
        "text": "You explained the outage calmly.",
    }
    return (
        Work("goals", "/goals/v1/goals", goal, "/goals/v1/goals?limit=5", "goal_tree"),
        Work(
            "feedback",
            "/feedback/v1/feedback",
            praise,
            "/feedback/v1/feedback?direction=given&limit=5",
            "readable_feedback",
        ),
        Work("reviews", "/reviews/v1/cycles", _CYCLE, "/reviews/v1/cycles?limit=5", "cycles"),
        Work("rewards", "/rewards/v1/pools", _POOL, "/rewards/v1/rewards?limit=5", "budget_pools"),
    )
