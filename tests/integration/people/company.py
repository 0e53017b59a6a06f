"""Records of people for tests."""

from datetime import date
from typing import Any

from shared.people.projection import Change
from shared.schemas.identifiers import PersonId
from shared.schemas.people import EmploymentStatus, PersonRecord

ACTIVE, LEFT = EmploymentStatus.ACTIVE, EmploymentStatus.LEFT


def record(person: PersonId, manager: PersonId | None = None, **facts: Any) -> PersonRecord:
    """A full-time employee since 2020, but for what is said otherwise."""
    usual: dict[str, Any] = {
        "person": person,
        "revision": 1,
        "employee_number": "1",
        "given_name": "Ada",
        "family_name": "Quist",
        "email": None,
        "manager": manager,
        "team": "Sales",
        "legal_entity": "US01",
        "pay_group": "US-MONTHLY",
        "country": "US",
        "job_title": None,
        "hired_on": date(2020, 1, 1),
        "left_on": None,
        "status": ACTIVE,
    }
    return PersonRecord(**{**usual, **facts})


def change(person: PersonId, manager: PersonId | None = None, **facts: Any) -> Change:
    return person, record(person, manager, **facts)
