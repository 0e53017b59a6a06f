"""What people in a made-up company do: departments, job titles and grades."""

from random import Random
from typing import Final

DEPARTMENTS: Final = (
    "Engineering",
    "Sales",
    "Operations",
    "Customer Service",
    "Production",
    "Finance",
    "Marketing",
    "Human Resources",
    "Legal",
)
HEAD: Final = "Executive"
"""The head's own department."""
_STEPS: Final = (("Junior ", 0.2), ("", 0.4), ("Senior ", 0.3), ("Principal ", 0.1))
_CRAFTS: Final = {
    "Engineering": "Engineer",
    "Sales": "Account Executive",
    "Operations": "Operations Specialist",
    "Customer Service": "Service Agent",
    "Production": "Technician",
    "Finance": "Accountant",
    "Marketing": "Marketing Specialist",
    "Human Resources": "People Partner",
    "Legal": "Counsel",
    HEAD: "Assistant",
}
_MANAGERS: Final = ("Manager", "Senior Manager", "Director", "Vice President")
_HEAD_GRADE: Final = 12


def of_expert(department: str, random: Random) -> tuple[str, int]:
    """The job title and grade of somebody who leads nobody."""
    grade = random.choices(range(len(_STEPS)), weights=[share for _, share in _STEPS])[0]
    return f"{_STEPS[grade][0]}{_CRAFTS[department]}", grade


def of_manager(department: str, height: int) -> tuple[str, int]:
    """The same of a manager; `height` is 1 for one who leads no managers."""
    place = min(height, len(_MANAGERS)) - 1
    return f"{_MANAGERS[place]}, {department}", len(_STEPS) + place


def of_head() -> tuple[str, int]:
    return "Chief Executive", _HEAD_GRADE
