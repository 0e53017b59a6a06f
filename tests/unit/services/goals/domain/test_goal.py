"""Rules of goals: setting, aligning, measuring, closing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_alignment import AlignGoal
from services.goals.domain.goal_carry_over import CarryOverGoal
from services.goals.domain.goal_closing import (
    AchieveGoal,
    CancelGoal,
    CancelGoalBody,
    ExpireGoal,
    MissGoal,
    ReopenGoal,
)
from services.goals.domain.goal_contributions import Contribute
from services.goals.domain.goal_dates import RescheduleGoal
from services.goals.domain.goal_lock import LockGoal, UnlockGoal
from services.goals.domain.goal_people import HandOverGoal, NameContributors
from services.goals.domain.goal_progress import REGRESS_NEEDS_NOTE, RecordProgress
from services.goals.domain.goal_setting import SetGoal, SetGoalBody
from services.goals.domain.goal_states import GoalEvent
from services.goals.domain.goal_wording import DescribeGoal, RetitleGoal, TextsNow
from services.goals.domain.metric import MetricBody
from services.goals.domain.objective import GradeObjective
from services.goals.domain.parent import ParentGoal
from services.goals.domain.policy import DEFAULT
from shared.eventsourcing.decider import Command, Rejected
from shared.schemas.event import encode
from shared.schemas.goal_metrics import Keep, KeepPeriod, Metric, MetricKind
from shared.schemas.goals import (
    TYPES,
    GoalAchieved,
    GoalCancelled,
    GoalLevel,
    GoalProgressRecorded,
    GoalSet,
    ProgressSource,
)
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.goals.commands import achieve, align, cancel, day_ends, record, set_goal
from tests.unit.services.goals.examples import (
    A_GOAL,
    DECEMBER,
    HR,
    JANUARY,
    JUNE,
    NOW,
    OWNER,
    achieved,
    agreements,
    cancelled,
    expired,
    figures,
    goal_events,
    goals,
    halfway,
    people,
    shares,
    team_goal_set,
    words,
)
from tests.unit.services.goals.policies import choosing


def test_a_team_goal_is_set_with_its_title_in_clear() -> None:
    given(GOAL).when(set_goal()).then(team_goal_set)


def test_a_persons_goal_is_set_with_its_title_as_personal_text() -> None:
    title = PersonalText.about(OWNER, "Learn to say no")
    command = set_goal(level=GoalLevel.PERSON, team=None, title="Learn to say no")
    given(GOAL).when(command).then(
        team_goal_set.model_copy(update={"level": GoalLevel.PERSON, "team": None, "title": title})
    )


def test_an_organization_goal_may_have_no_metric_of_its_own() -> None:
    given(GOAL).when(set_goal(level=GoalLevel.ORGANIZATION, team=None, metric=None)).then(
        team_goal_set.model_copy(update={"level": GoalLevel.ORGANIZATION, "team": None, "metric": None})
    )


def test_a_goal_is_set_once() -> None:
    given(GOAL, team_goal_set).when(set_goal()).then_rejected("goal-is-already-set", goal=A_GOAL)


def test_a_team_goal_names_its_team() -> None:
    given(GOAL).when(set_goal(team=None)).then_rejected("team-goal-must-name-its-team", team=None)


@pytest.mark.parametrize("level", [GoalLevel.ORGANIZATION, GoalLevel.PERSON])
def test_no_other_goal_names_a_team(level: GoalLevel) -> None:
    given(GOAL).when(set_goal(level=level)).then_rejected("team-goal-must-name-its-team", level=level)


def test_no_goal_is_set_for_who_has_left() -> None:
    given(GOAL).when(set_goal(employed=False)).then_rejected("goal-owner-must-be-employed", owner=OWNER)


def test_a_goal_does_not_end_before_it_starts() -> None:
    given(GOAL).when(set_goal(starts_on=JUNE, ends_on=JANUARY)).then_rejected(
        "goal-must-not-end-before-it-starts", starts_on=JUNE, ends_on=JANUARY
    )


def test_a_goal_may_start_and_end_on_the_same_day() -> None:
    given(GOAL).when(set_goal(ends_on=JANUARY)).then(team_goal_set.model_copy(update={"ends_on": JANUARY}))


def test_a_goal_whose_metric_cannot_be_measured_is_not_set() -> None:
    metric = MetricBody(kind=MetricKind.NUMBER, start=Decimal(5), target=Decimal(5))
    given(GOAL).when(set_goal(metric=metric)).then_rejected("metric-start-must-differ-from-target")


def test_progress_is_recorded_with_its_value_its_percentage_and_its_source() -> None:
    given(GOAL, team_goal_set).when(record("100")).then(halfway)


def test_progress_may_have_been_measured_earlier_and_elsewhere() -> None:
    yesterday = NOW - timedelta(days=1)
    command = record("100", measured_at=yesterday, source=ProgressSource.INTEGRATION)
    given(GOAL, team_goal_set).when(command).then(
        halfway.model_copy(update={"measured_at": yesterday, "source": ProgressSource.INTEGRATION})
    )


def test_progress_carries_a_note_about_the_owner_and_a_confidence() -> None:
    given(GOAL, team_goal_set).when(record("100", note="Spring is done", confidence=8)).then(
        halfway.model_copy(update={"note": PersonalText.about(OWNER, "Spring is done"), "confidence": 8})
    )


@pytest.mark.parametrize("confidence", [-1, 11])
def test_confidence_is_from_0_to_10(confidence: int) -> None:
    with pytest.raises(ValidationError, match="confidence"):
        record("100", confidence=confidence)


def test_progress_below_the_start_is_zero_and_says_so() -> None:
    given(GOAL, team_goal_set).when(record("220")).then(
        GoalProgressRecorded(
            value=Decimal(220),
            raw_progress=Decimal(-10),
            progress=Decimal(0),
            regressed=True,
            measured_at=NOW,
            source=ProgressSource.MANUAL,
        )
    )


def test_a_value_below_the_start_needs_a_note_where_the_policy_says_so() -> None:
    say_why = choosing(REGRESS_NEEDS_NOTE, True)
    given(GOAL, team_goal_set).when(record("220", policy=say_why)).then_rejected(
        "regress-needs-a-note", value=Decimal(220)
    )
    for accepted in (
        record("220", policy=say_why, note="A recall"),
        record("220", policy=say_why, source=ProgressSource.INTEGRATION),
        record("199", policy=say_why),
        record("220"),
    ):
        assert GOAL.decide(GOAL.fold([team_goal_set]), accepted)


def test_what_is_already_known_of_a_moment_is_not_recorded_again() -> None:
    given(GOAL, team_goal_set, halfway).when(record("100.0")).then_nothing()


def test_the_same_value_at_a_later_moment_is_a_measurement_of_its_own() -> None:
    tomorrow = NOW + timedelta(days=1)
    given(GOAL, team_goal_set, halfway).when(record("100", at=tomorrow)).then(
        halfway.model_copy(update={"measured_at": tomorrow})
    )


def test_a_late_measurement_is_recorded_and_does_not_move_the_goal() -> None:
    yesterday = NOW - timedelta(days=1)
    late = GoalProgressRecorded(
        value=Decimal(20),
        raw_progress=Decimal(90),
        progress=Decimal(90),
        regressed=False,
        measured_at=yesterday,
        source=ProgressSource.MANUAL,
        late=True,
    )
    given(GOAL, team_goal_set, halfway).when(record("20", measured_at=yesterday)).then(late)
    given(GOAL, team_goal_set, halfway, late).when(achieve()).then(
        GoalAchieved(value=Decimal(100), progress=Decimal(50), closed_on=JUNE)
    )


def test_a_second_measurement_of_a_moment_corrects_the_first() -> None:
    given(GOAL, team_goal_set, halfway).when(record("80")).then(
        halfway.model_copy(
            update={"value": Decimal(80), "raw_progress": Decimal(60), "progress": Decimal(60), "late": False}
        )
    )


def test_nothing_is_measured_in_the_future() -> None:
    soon = NOW + timedelta(minutes=5)
    given(GOAL, team_goal_set).when(record("100", measured_at=soon)).then(
        halfway.model_copy(update={"measured_at": soon})
    )
    too_soon = soon + timedelta(seconds=1)
    given(GOAL, team_goal_set).when(record("100", measured_at=too_soon)).then_rejected(
        "progress-must-not-be-measured-in-the-future", measured_at=too_soon, now=NOW
    )


def test_a_goal_of_bounds_to_keep_closes_with_the_share_of_periods_that_kept_them() -> None:
    keep = Metric(
        kind=MetricKind.KEEP,
        start=None,
        target=None,
        keep=Keep(least=Decimal(95), most=None, period=KeepPeriod.MONTH),
    )
    goal = team_goal_set.model_copy(update={"metric": keep})
    kept = halfway.model_copy(
        update={"value": Decimal(96), "raw_progress": Decimal(100), "progress": Decimal(100), "late": False}
    )
    broken = kept.model_copy(update={"value": Decimal(90), "measured_at": NOW - timedelta(days=31)})
    given(GOAL, goal, kept, broken).when(achieve()).then(
        GoalAchieved(value=Decimal(96), progress=Decimal(50), closed_on=JUNE)
    )
    given(GOAL, goal).when(achieve()).then(GoalAchieved(value=None, progress=None, closed_on=JUNE))


def test_progress_on_a_goal_that_is_measured_by_those_below_it_is_rejected() -> None:
    without = team_goal_set.model_copy(update={"metric": None})
    given(GOAL, without).when(record("1")).then_rejected("goal-is-measured-by-the-goals-below-it", value=Decimal(1))


def test_a_goal_is_achieved_with_its_final_value() -> None:
    given(GOAL, team_goal_set).when(achieve("0")).then(achieved)


def test_a_goal_is_achieved_with_its_last_value_if_none_is_said() -> None:
    given(GOAL, team_goal_set, halfway).when(achieve()).then(
        GoalAchieved(value=Decimal(100), progress=Decimal(50), closed_on=JUNE)
    )


def test_a_goal_without_a_metric_is_achieved_without_a_value() -> None:
    without = team_goal_set.model_copy(update={"metric": None})
    given(GOAL, without).when(achieve()).then(GoalAchieved(value=None, progress=None, closed_on=JUNE))
    given(GOAL, without).when(achieve("1")).then_rejected("goal-is-measured-by-the-goals-below-it", value=Decimal(1))


def test_a_goal_does_not_close_before_it_starts() -> None:
    new_year = JANUARY - timedelta(days=1)
    given(GOAL, team_goal_set).when(achieve("0", new_year)).then_rejected(
        "goal-must-not-close-before-it-starts", starts_on=JANUARY, closed_on=new_year
    )


@pytest.mark.parametrize("command", [achieve(), achieve("0")])
def test_achieving_twice_changes_nothing(command: AchieveGoal) -> None:
    given(GOAL, team_goal_set, achieved).when(command).then_nothing()


def test_an_achieved_goal_keeps_its_final_value() -> None:
    given(GOAL, team_goal_set, achieved).when(achieve("10")).then_rejected("goal-is-not-active")


def test_a_goal_is_cancelled_with_a_reason() -> None:
    given(GOAL, team_goal_set).when(cancel).then(cancelled)


def test_cancelling_twice_changes_nothing() -> None:
    given(GOAL, team_goal_set, cancelled).when(cancel).then_nothing()


def test_a_reason_is_a_code_and_no_free_text() -> None:
    with pytest.raises(ValidationError, match="reason"):
        CancelGoalBody(reason="Bob is ill")


def test_a_goal_expires_when_its_last_day_ends_and_says_how_late_that_was_found() -> None:
    given(GOAL, team_goal_set).when(day_ends(JUNE)).then(expired)
    late = expired.model_copy(update={"late_seconds": 86_400})
    given(GOAL, team_goal_set).when(day_ends(DECEMBER, late_seconds=86_400)).then(late)


def test_a_goal_does_not_expire_before_its_last_day_has_ended() -> None:
    given(GOAL, team_goal_set).when(day_ends(JUNE - timedelta(days=1))).then_nothing()


@pytest.mark.parametrize("history", [[], [team_goal_set, achieved], [team_goal_set, cancelled]])
def test_what_is_not_open_does_not_expire(history: list[GoalEvent]) -> None:
    given(GOAL, *history).when(day_ends()).then_nothing()


def test_a_goal_expires_once() -> None:
    given(GOAL, team_goal_set, expired).when(day_ends()).then_nothing()


def test_an_expired_goal_stays_open_for_closing() -> None:
    given(GOAL, team_goal_set, expired).when(cancel).then(cancelled)
    given(GOAL, team_goal_set, expired).when(record("100")).then(halfway)


@pytest.mark.parametrize("closing", [achieved, cancelled])
@pytest.mark.parametrize("command", [record("7"), align(), achieve("7"), cancel])
def test_a_closed_goal_stays_as_it_is(closing: GoalEvent, command: Command) -> None:
    if isinstance(command, CancelGoal) and isinstance(closing, GoalCancelled):
        return
    given(GOAL, team_goal_set, closing).when(command).then_rejected("goal-is-not-active")


@pytest.mark.parametrize("command", [record("7"), align(), achieve("7"), cancel])
def test_nothing_happens_to_a_goal_that_was_never_set(command: Command) -> None:
    given(GOAL).when(command).then_rejected("goal-is-not-active", state="NotSet")


@pytest.mark.parametrize("field", [{"weight": "-1"}, {"weight": 1.5}, {"title": "a\x00b"}, {"level": "galaxy"}])
def test_a_malformed_wish_is_no_request(field: dict[str, object]) -> None:
    body = set_goal().model_dump(include=set(SetGoalBody.model_fields))
    SetGoalBody.model_validate(body)
    with pytest.raises(ValidationError, match=next(iter(field))):
        SetGoalBody.model_validate({**body, **field})


histories = st.lists(goal_events, max_size=6)
parents = st.builds(
    ParentGoal,
    goal=goals,
    active=st.booleans(),
    starts_on=st.dates(),
    ends_on=st.dates(),
    ancestors=st.lists(goals, max_size=2).map(tuple),
)
edge: dict[str, Any] = {"at": st.just(NOW), "by": people | st.just(HR)}
by_a_person: dict[str, Any] = {**edge, "policy": st.just(DEFAULT)}
amendments = st.none() | st.uuids()
commands = st.one_of(
    st.builds(
        SetGoal,
        goal=goals,
        level=st.sampled_from(GoalLevel),
        owner=people,
        team=st.none() | words,
        title=words,
        starts_on=st.dates(),
        ends_on=st.dates(),
        parent=st.none() | goals,
        parent_goal=st.none() | parents,
        **by_a_person,
    ),
    st.builds(
        AlignGoal, goal=goals, parent=st.none() | goals, parent_goal=st.none() | parents, weight=shares, **by_a_person
    ),
    st.builds(RecordProgress, value=figures, **by_a_person),
    st.builds(AchieveGoal, value=st.none() | figures, closed_on=st.dates(), **by_a_person),
    st.builds(MissGoal, value=st.none() | figures, closed_on=st.dates(), **by_a_person),
    st.builds(CancelGoal, reason=st.just("merged"), **by_a_person),
    st.builds(ReopenGoal, goal=goals, parent_goal=st.none() | parents, reason=st.just("merged"), **by_a_person),
    st.builds(
        Contribute,
        goal=goals,
        contributes_to=st.lists(goals, max_size=2).map(tuple),
        targets=st.lists(parents, max_size=2).map(tuple),
        **by_a_person,
    ),
    st.builds(
        RescheduleGoal,
        goal=goals,
        starts_on=st.dates(),
        ends_on=st.dates(),
        parent_goal=st.none() | parents,
        amendment=amendments,
        **by_a_person,
    ),
    st.builds(RetitleGoal, title=words, amendment=amendments, **by_a_person),
    st.builds(DescribeGoal, description=st.none() | words, **by_a_person),
    st.builds(NameContributors, contributors=st.lists(people, max_size=3).map(tuple), **by_a_person),
    st.builds(
        HandOverGoal,
        owner=people,
        reason=st.just("merged"),
        texts=st.just(TextsNow(title="Known")),
        employed=st.booleans(),
        amendment=amendments,
        **by_a_person,
    ),
    st.builds(
        GradeObjective,
        grade=st.sampled_from([None, Decimal("0.4"), Decimal("0.70")]),
        comment=st.just("why"),
        closed_on=st.sampled_from([JANUARY, JUNE]),
        rolled_up=st.sampled_from([None, Decimal(65)]),
        **by_a_person,
    ),
    st.builds(LockGoal, agreement=agreements, **edge),
    st.builds(UnlockGoal, agreement=agreements, **edge),
    st.builds(CarryOverGoal, to=goals, starts_on=st.dates(), **by_a_person),
    st.builds(ExpireGoal, ended_on=st.dates(), zone=words, due_at=st.just(NOW), late_seconds=st.integers(0), **edge),
)


@for_all(goal_events)
def test_events_survive_storage(event: GoalEvent) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert encode(event) == stored


@for_all(histories)
def test_evolve_never_fails_on_any_history(history: list[GoalEvent]) -> None:
    GOAL.fold(history)


@for_all(histories, commands)
def test_deciding_twice_adds_nothing(history: list[GoalEvent], command: Command) -> None:
    state = GOAL.fold(history)
    try:
        state = GOAL.fold(GOAL.decide(state, command), state)
        again = GOAL.decide(state, command)
    except Rejected:
        return
    assert list(again) == []


def test_a_goal_set_event_without_a_weight_counts_as_one() -> None:
    assert GoalSet.model_validate_json(encode(team_goal_set).replace(',"weight":"1"', "")) == team_goal_set
