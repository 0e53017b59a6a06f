"""What an event changes in a goal's row, by column: its words, whose it is, its target."""

from collections.abc import Sequence
from typing import Any

from shared.schemas.event import Event
from shared.schemas.goal_changes import GoalRescheduled, GoalRetargeted, GoalRetitled, GoalVisibilityChosen
from shared.schemas.goal_ties import GoalContributorAdded, GoalContributorRemoved, GoalHandedOver
from shared.schemas.identifiers import PersonId


def worded(event: Event) -> dict[str, Any]:
    match event:
        case GoalRetitled():
            return {"title": event.title}
        case GoalVisibilityChosen():
            return {"visibility": event.visibility}
        case GoalRescheduled():
            return {"starts_on": event.starts_on, "ends_on": event.ends_on, "expired": False}
        case _:
            return {}


def belonging(contributors: Sequence[PersonId], event: Event) -> dict[str, Any]:
    match event:
        case GoalContributorAdded():
            return {"contributors": [*_without(contributors, event.person), event.person]}
        case GoalContributorRemoved():
            return {"contributors": _without(contributors, event.person)}
        case GoalHandedOver():
            rest = _without(contributors, event.owner)
            return {"owner": event.owner, "team": event.team, "title": event.title, "contributors": rest}
        case _:
            return {}


def _without(people: Sequence[PersonId], person: PersonId) -> list[PersonId]:
    return [one for one in people if one != person]


def reckoned(event: Event) -> dict[str, Any]:
    if not isinstance(event, GoalRetargeted):
        return {}
    figures = {"own_progress": event.progress, "raw_progress": event.raw_progress, "regressed": event.regressed}
    return {"metric": event.metric, **figures}
