"""What an event of a goal says, as a sentence after the name of who did it."""

import re
from collections.abc import Mapping
from typing import Any

from shared.schemas.event import Event
from shared.schemas.goal_changes import (
    GoalDescribed,
    GoalLocked,
    GoalRescheduled,
    GoalRetargeted,
    GoalRetitled,
    GoalUnlocked,
    GoalVisibilityChosen,
)
from shared.schemas.goal_health import GoalHealthSet, UpdateDue
from shared.schemas.goal_metrics import GoalMeasureChosen, Metric
from shared.schemas.goal_ties import GoalCarriedOver, GoalContributorAdded, GoalContributorRemoved, GoalHandedOver
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalExpired,
    GoalMissed,
    GoalProgressRecorded,
    GoalReopened,
    GoalSet,
)
from shared.schemas.values import plain

Said = Mapping[str, Any]
"""The event's data, its texts in clear, without the goals that its reader may not see."""


def words(event: Event, said: Said) -> str:
    """What was done; an event that has no words of its own is told by its name."""
    return _worded(event, said) or _placed(event, said) or _measured(event) or _closed(event, said) or _named(event)


def why(said: Said) -> str | None:
    """The reason, the comment or the note that came with it."""
    given = [str(said[name]) for name in ("reason", "comment", "note") if said.get(name)]
    return ": ".join(given) or None


def _worded(event: Event, said: Said) -> str | None:
    match event:
        case GoalSet():
            return f"set the goal \u201c{said['title']}\u201d, {_metric(event.metric)}, {_days(event)}"
        case GoalRetitled():
            return f"called it \u201c{said['title']}\u201d"
        case GoalDescribed(description=None):
            return "took its description away"
        case GoalDescribed():
            return f"described it: \u201c{said['description']}\u201d"
        case GoalVisibilityChosen():
            return f"chose who sees it: {event.visibility or 'as is usual at its level'}"
        case GoalHandedOver():
            return f"handed it over from {event.previous_owner} to {event.owner}"
        case GoalContributorAdded():
            return f"named {event.person} as a contributor"
        case GoalContributorRemoved():
            return f"took {event.person} from its contributors"
        case _:
            return None


def _placed(event: Event, said: Said) -> str | None:
    match event:
        case GoalAligned(parent=None):
            return f"took it from under {_goal(said['previous_parent'])}"
        case GoalAligned() if event.parent == event.previous_parent:
            return f"let it weigh {plain(event.weight)} under {_goal(said['parent'])}"
        case GoalAligned():
            return f"put it under {_goal(said['parent'])}"
        case GoalRescheduled():
            before = f"from {event.previous_starts_on} to {event.previous_ends_on}"
            return f"moved its dates: before {before}, now {_days(event)}"
        case GoalCarriedOver():
            return f"carried it over into {_goal(said['to'])}"
        case GoalLocked():
            return f"agreed to it, in {event.agreement}"
        case GoalUnlocked():
            return f"took it out of the agreement {event.agreement}"
        case _:
            return None


def _measured(event: Event) -> str | None:
    match event:
        case GoalProgressRecorded():
            late = ", late" if event.late else ""
            return (
                f"recorded {plain(event.value)} as of {event.measured_at.isoformat()}{late}: {_percent(event.progress)}"
            )
        case GoalRetargeted():
            return f"changed what is to be reached from {_metric(event.previous)} to {_metric(event.metric)}"
        case GoalMeasureChosen():
            return f"chose to measure it by {event.measured_by}, before by {event.previous}"
        case GoalHealthSet():
            return f"said that it is {event.health}"
        case UpdateDue():
            return f"asked for an update: none for {event.days} days"
        case _:
            return None


def _closed(event: Event, said: Said) -> str | None:
    match event:
        case GoalAchieved() | GoalMissed():
            figure = "" if event.progress is None else f" at {_percent(event.progress)}"
            how = "achieved" if isinstance(event, GoalAchieved) else "missed"
            return f"closed it as {how}{figure}, on {event.closed_on}"
        case GoalCancelled():
            return f"cancelled it ({said['reason']})"
        case GoalReopened():
            return f"opened it again ({said['reason']})"
        case GoalExpired():
            return f"let it expire: its last day was {event.ended_on}"
        case _:
            return None


def _named(event: Event) -> str:
    name = event.event_type.split(".")[2]
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _goal(named: str | None) -> str:
    return "a goal that you may not see" if named is None else named


def _metric(metric: Metric | None) -> str:
    if metric is None:
        return "measured by the goals below it"
    if metric.start is None or metric.target is None:
        return f"in {metric.kind}"
    return f"from {plain(metric.start)} to {plain(metric.target)} {metric.unit or ''}".strip()


def _percent(percent: Any) -> str:
    return f"{percent:.2f} %"


def _days(event: GoalSet | GoalRescheduled) -> str:
    return f"from {event.starts_on} to {event.ends_on}"
