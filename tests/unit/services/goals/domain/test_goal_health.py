"""Rules of what a person says of a goal's health, and of the updates that are due."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_health import UPDATE_AFTER, AskForUpdate, SetHealth
from services.goals.domain.goal_states import Active
from services.goals.domain.policy import DEFAULT
from shared.schemas.goal_health import GoalHealthSet, Health, UpdateDue
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import SYSTEM
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.goals.commands import BY_THE_OWNER
from tests.unit.services.goals.examples import NOW, OWNER, cancelled, expired, halfway, team_goal_set
from tests.unit.services.goals.policies import choosing

LATE_SUPPLIER = "The supplier delivers in May"
at_risk = GoalHealthSet(health=Health.AT_RISK, reason=LATE_SUPPLIER, progress=Decimal(50))
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def say(health: Health = Health.AT_RISK, reason: str = LATE_SUPPLIER, progress: str | None = "50") -> SetHealth:
    shown = None if progress is None else Decimal(progress)
    return SetHealth(health=health, reason=reason, progress=shown, **BY_THE_OWNER)


def look(at: datetime, **changes: Any) -> AskForUpdate:
    asked: dict[str, Any] = {"began_at": BEGAN, "late_seconds": 0, "at": at, "by": SYSTEM, "policy": DEFAULT}
    return AskForUpdate(**{**asked, **changes})


def due(since: datetime, at: datetime, days: int = 30) -> UpdateDue:
    return UpdateDue(stale_since=since, days=days, due_at=at, late_seconds=0)


def test_health_is_said_with_its_reason_and_the_progress_that_was_shown() -> None:
    given(GOAL, team_goal_set, halfway).when(say()).then(at_risk)
    given(GOAL, team_goal_set).when(say(progress=None)).then(at_risk.model_copy(update={"progress": None}))


def test_the_reason_is_personal_text_about_a_persons_goal() -> None:
    mine = team_goal_set.model_copy(update={"level": GoalLevel.PERSON, "team": None})
    reason = PersonalText.about(OWNER, LATE_SUPPLIER)
    given(GOAL, mine).when(say()).then(at_risk.model_copy(update={"reason": reason}))


def test_what_was_said_is_not_said_again() -> None:
    given(GOAL, team_goal_set, halfway, at_risk).when(say()).then_nothing()


def test_what_was_said_lapses_with_the_next_progress() -> None:
    given(GOAL, team_goal_set, at_risk, halfway).when(say()).then(at_risk)
    state = GOAL.fold([team_goal_set, at_risk, halfway])
    assert isinstance(state, Active)
    assert state.health is None


def test_nobody_says_that_a_goal_is_expired() -> None:
    given(GOAL, team_goal_set).when(say(Health.EXPIRED)).then_rejected(
        "expired-is-not-said-by-hand", health=Health.EXPIRED
    )


def test_of_a_closed_goal_no_health_is_said() -> None:
    given(GOAL, team_goal_set, cancelled).when(say()).then_rejected("goal-is-not-active")


# -- updates that are due


def test_an_update_is_due_so_many_days_after_the_last_measurement() -> None:
    at = NOW + timedelta(days=30)
    given(GOAL, team_goal_set, halfway).when(look(at - timedelta(seconds=1))).then_nothing()
    given(GOAL, team_goal_set, halfway).when(look(at)).then(due(NOW, at))


def test_before_the_first_measurement_it_is_due_so_many_days_after_the_beginning() -> None:
    at = BEGAN + timedelta(days=30)
    given(GOAL, team_goal_set).when(look(at - timedelta(seconds=1))).then_nothing()
    given(GOAL, team_goal_set).when(look(at)).then(due(BEGAN, at))


def test_it_is_asked_for_once_for_each_such_span() -> None:
    first, second = NOW + timedelta(days=30), NOW + timedelta(days=60)
    given(GOAL, team_goal_set, halfway, due(NOW, first)).when(look(second - timedelta(seconds=1))).then_nothing()
    given(GOAL, team_goal_set, halfway, due(NOW, first)).when(look(second)).then(due(NOW, second))


def test_a_measurement_begins_a_new_span() -> None:
    first, measured = NOW + timedelta(days=30), NOW + timedelta(days=31)
    again = halfway.model_copy(update={"measured_at": measured})
    given(GOAL, team_goal_set, halfway, due(NOW, first), again).when(look(NOW + timedelta(days=60))).then_nothing()
    at = measured + timedelta(days=30)
    given(GOAL, team_goal_set, halfway, due(NOW, first), again).when(look(at)).then(due(measured, at))


def test_how_many_days_is_the_companys_choice_and_so_is_never() -> None:
    weekly = choosing(UPDATE_AFTER, 7)
    at = NOW + timedelta(days=7)
    given(GOAL, team_goal_set, halfway).when(look(at, policy=weekly)).then(due(NOW, at, 7))
    never = choosing(UPDATE_AFTER, None)
    given(GOAL, team_goal_set, halfway).when(look(NOW + timedelta(days=900), policy=never)).then_nothing()


@pytest.mark.parametrize(
    "history",
    [
        [],
        [team_goal_set, cancelled],
        [team_goal_set, expired],
        [team_goal_set.model_copy(update={"measured_by": MeasuredBy.CHILDREN})],
    ],
)
def test_of_what_is_closed_expired_or_measured_by_others_no_update_is_due(history: list[Any]) -> None:
    given(GOAL, *history).when(look(NOW + timedelta(days=900))).then_nothing()
