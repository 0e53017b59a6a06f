"""Who may do what with goals and plans: an action, and who may. Every yes and no of it is in docs/goals-access.md."""

from collections.abc import Mapping
from typing import Final

from shared.runtime.authorization import PERSONAL_TEXTS, READ, AccessTable, Grant, Permissions, Relation
from shared.runtime.caller import Role
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import GoalLevel

Who = frozenset[Grant]

EVERYBODY: Final[Who] = frozenset({(Role.EMPLOYEE, Relation.ANY)})
"""Whoever works here."""
OWNER: Final[Who] = frozenset({(Role.EMPLOYEE, Relation.SELF)})
LEADER: Final[Who] = frozenset({(Role.MANAGER, Relation.SELF)})
"""The owner, where the owner manages people."""
MANAGER: Final[Who] = frozenset({(Role.MANAGER, Relation.MANAGER)})
"""The owner's manager: the nearest one above who has not left."""
SKIP_LEVEL: Final[Who] = frozenset({(Role.MANAGER, Relation.SKIP_LEVEL)})
"""The managers further up."""
CONTRIBUTOR: Final[Who] = frozenset({(Role.EMPLOYEE, Relation.CONTRIBUTOR)})
TEAM: Final[Who] = frozenset({(Role.EMPLOYEE, Relation.TEAM)})
"""Who works in the goal's team (a person's goal: in the owner's), and who reports to the owner."""
HR: Final[Who] = frozenset({(Role.HR, Relation.ANY)})
ADMIN: Final[Who] = frozenset({(Role.ADMIN, Relation.ANY)})

SET: Final = "set"
ALIGN: Final = "align"
CHOOSE_MEASURE: Final = "choose-measure"
WEIGH: Final = "weigh"
SET_HEALTH: Final = "set-health"
RECORD_PROGRESS: Final = "record-progress"
EDIT: Final = "edit"
"""What it says, stands for and is measured by; its dates; who works on it and who sees it."""
HAND_OVER: Final = "hand-over"
CARRY_OVER: Final = "carry-over"
ACHIEVE: Final = "achieve"
MISS: Final = "miss"
GRADE: Final = "grade"
"""How an objective is closed, instead of the two."""
CANCEL: Final = "cancel"
REOPEN: Final = "reopen"
PROPOSE: Final = "propose"
AGREE: Final = "agree"
DRAFT: Final = "draft"
RETURN: Final = "return"
AMEND: Final = "amend"
ADOPT: Final = "adopt"
DEFINE: Final = "define"
REVISE: Final = "revise"
RETIRE: Final = "retire"
MEASURE: Final = "measure"
BIND: Final = "bind"
ASSIGN: Final = "assign"
UNDO: Final = "undo"

_USUALLY_SEEN: Final[Mapping[GoalLevel, Who]] = {
    GoalLevel.ORGANIZATION: EVERYBODY,
    GoalLevel.TEAM: EVERYBODY,
    GoalLevel.PERSON: OWNER | MANAGER | SKIP_LEVEL | CONTRIBUTOR | HR,
}
"""Who sees a goal whose visibility was not said."""
_SEEN: Final[Mapping[GoalVisibility, Who]] = {
    GoalVisibility.EVERYONE: EVERYBODY,
    GoalVisibility.TEAM_AND_LINE: OWNER | TEAM | MANAGER | SKIP_LEVEL | CONTRIBUTOR | HR,
    GoalVisibility.OWNER_AND_MANAGER: OWNER | MANAGER | CONTRIBUTOR | HR,
}
_DONE: Final[Mapping[GoalLevel, Mapping[str, Who]]] = {
    GoalLevel.ORGANIZATION: {
        SET: HR,
        ALIGN: HR,
        CHOOSE_MEASURE: HR,
        WEIGH: HR,
        EDIT: HR,
        HAND_OVER: HR,
        CARRY_OVER: HR,
        BIND: HR,
        SET_HEALTH: OWNER | CONTRIBUTOR | HR,
        RECORD_PROGRESS: OWNER | CONTRIBUTOR | HR,
        ACHIEVE: OWNER | HR,
        MISS: OWNER | HR,
        GRADE: OWNER | HR,
        CANCEL: HR,
        REOPEN: HR,
    },
    GoalLevel.TEAM: {
        SET: LEADER | MANAGER | SKIP_LEVEL | HR,
        ALIGN: LEADER | MANAGER | SKIP_LEVEL | HR,
        CHOOSE_MEASURE: LEADER | MANAGER | SKIP_LEVEL | HR,
        WEIGH: LEADER | MANAGER | SKIP_LEVEL | HR,
        EDIT: LEADER | MANAGER | SKIP_LEVEL | HR,
        HAND_OVER: LEADER | MANAGER | SKIP_LEVEL | HR,
        CARRY_OVER: LEADER | MANAGER | SKIP_LEVEL | HR,
        BIND: LEADER | MANAGER | SKIP_LEVEL | HR,
        SET_HEALTH: OWNER | CONTRIBUTOR | MANAGER | SKIP_LEVEL | HR,
        RECORD_PROGRESS: OWNER | CONTRIBUTOR | MANAGER | SKIP_LEVEL | HR,
        ACHIEVE: OWNER | MANAGER | SKIP_LEVEL | HR,
        MISS: OWNER | MANAGER | SKIP_LEVEL | HR,
        GRADE: OWNER | MANAGER | SKIP_LEVEL | HR,
        CANCEL: LEADER | MANAGER | SKIP_LEVEL | HR,
        REOPEN: MANAGER | SKIP_LEVEL | HR,
    },
    GoalLevel.PERSON: {
        SET: OWNER | MANAGER | SKIP_LEVEL | HR,
        ALIGN: OWNER | MANAGER | SKIP_LEVEL | HR,
        CHOOSE_MEASURE: OWNER | MANAGER | SKIP_LEVEL | HR,
        WEIGH: OWNER | MANAGER | SKIP_LEVEL | HR,
        EDIT: OWNER | MANAGER | SKIP_LEVEL | HR,
        HAND_OVER: MANAGER | SKIP_LEVEL | HR,
        CARRY_OVER: OWNER | MANAGER | SKIP_LEVEL | HR,
        BIND: OWNER | MANAGER | SKIP_LEVEL | HR,
        SET_HEALTH: OWNER | CONTRIBUTOR | MANAGER | HR,
        RECORD_PROGRESS: OWNER | CONTRIBUTOR | MANAGER | HR,
        ACHIEVE: OWNER | MANAGER | HR,
        MISS: OWNER | MANAGER | HR,
        GRADE: OWNER | MANAGER | HR,
        CANCEL: OWNER | MANAGER | SKIP_LEVEL | HR,
        REOPEN: MANAGER | HR,
    },
}
PLANS: Final = Permissions(
    {
        READ: OWNER | MANAGER | SKIP_LEVEL | HR,
        DRAFT: OWNER | MANAGER | SKIP_LEVEL | HR,
        PROPOSE: OWNER | MANAGER | SKIP_LEVEL | HR,
        RETURN: OWNER | MANAGER | SKIP_LEVEL | HR,
        AGREE: OWNER | MANAGER | SKIP_LEVEL | HR,
        AMEND: OWNER | MANAGER | SKIP_LEVEL | HR,
    }
)
"""Two sides agree, and which of these is the owner's other side is said by the policy: `domain/plan_sides.py`."""
POLICIES: Final = Permissions({READ: EVERYBODY | ADMIN, ADOPT: HR | ADMIN})
KPIS: Final = Permissions(
    {
        READ: EVERYBODY | ADMIN,
        DEFINE: LEADER | MANAGER | SKIP_LEVEL | HR,
        REVISE: LEADER | MANAGER | SKIP_LEVEL | HR,
        HAND_OVER: LEADER | MANAGER | SKIP_LEVEL | HR,
        RETIRE: LEADER | MANAGER | SKIP_LEVEL | HR,
        MEASURE: OWNER | MANAGER | SKIP_LEVEL | HR | ADMIN,
    }
)
TEMPLATES: Final = Permissions({READ: EVERYBODY | ADMIN, DEFINE: HR, REVISE: HR, RETIRE: HR})
ASSIGNMENTS: Final = Permissions({READ: LEADER | HR, ASSIGN: LEADER | HR, UNDO: HR})
"""An assignment is theirs who began it. A manager gives to the people below them, of whom each goal could be set."""
GOALS: Final[Mapping[tuple[GoalLevel, GoalVisibility | None], Permissions]] = {
    (level, visibility): Permissions({READ: seen, **_DONE[level]})
    for level in GoalLevel
    for visibility, seen in [(None, _USUALLY_SEEN[level]), *_SEEN.items()]
}
"""By level and visibility. Who may not see a goal may do nothing with it, whatever their relation to it."""
ACCESS: Final = AccessTable(
    {
        "goal": {f"{level}, {visibility or 'as usual'}": table for (level, visibility), table in GOALS.items()},
        "plan": {"": PLANS},
        "policy": {"": POLICIES},
        "kpi": {"": KPIS},
        "template": {"": TEMPLATES},
        "assignment": {"": ASSIGNMENTS},
        "personal texts": {"": PERSONAL_TEXTS},
    }
)


def goals_at(level: str, visibility: str | None = None) -> Permissions:
    """The table of a goal; a level or visibility that this version does not know is taken for the closest one."""
    known_level = GoalLevel(level) if GoalLevel(level).known else GoalLevel.PERSON
    if visibility is None:
        return GOALS[known_level, None]
    known = GoalVisibility(visibility)
    return GOALS[known_level, known if known.known else GoalVisibility.OWNER_AND_MANAGER]
