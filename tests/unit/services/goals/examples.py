"""The people, goals and random events that the goals service's tests share."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from shared.schemas.goal_changes import (
    GoalClassified,
    GoalDescribed,
    GoalLocked,
    GoalRescheduled,
    GoalRetargeted,
    GoalRetitled,
    GoalUnlocked,
    GoalVisibilityChosen,
)
from shared.schemas.goal_health import GoalHealthSet, Health, UpdateDue
from shared.schemas.goal_metrics import GoalMeasureChosen, Keep, KeepPeriod, MeasuredBy, Metric, MetricKind, Zones
from shared.schemas.goal_objectives import Commitment, ObjectiveGraded, ScoreBand
from shared.schemas.goal_plans import (
    GoalAmendmentProposed,
    GoalAmendmentReturned,
    GoalCancellation,
    GoalChange,
    GoalHandover,
    GoalPlanAgreed,
    GoalPlanAmended,
    GoalPlanDrafted,
    GoalPlanProposed,
    GoalPlanReturned,
    PlannedGoalLost,
    PlanWeight,
    SeenGoal,
)
from shared.schemas.goal_ties import (
    GoalCarriedOver,
    GoalContributionAdded,
    GoalContributionRemoved,
    GoalContributorAdded,
    GoalContributorRemoved,
    GoalHandedOver,
)
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalExpired,
    GoalLevel,
    GoalMissed,
    GoalProgressRecorded,
    GoalReopened,
    GoalSet,
    PersonalTextErased,
    ProgressSource,
)
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText

OWNER = PersonId(UUID(int=0xA))
MANAGER = PersonId(UUID(int=0xB))
HR = PersonId(UUID(int=0xC))
A_GOAL = GoalId(UUID(int=0x1))
PARENT = GoalId(UUID(int=0x2))
OTHER_PARENT = GoalId(UUID(int=0x3))
AGREEMENT, OTHER_AGREEMENT, AMENDMENT = UUID(int=0x11), UUID(int=0x12), UUID(int=0x13)
NOW = datetime(2026, 3, 31, 14, 30, tzinfo=UTC)
JANUARY = date(2026, 1, 1)
JUNE = date(2026, 6, 30)
DECEMBER = date(2026, 12, 31)

fewer_tickets = Metric(kind=MetricKind.NUMBER, start=Decimal(200), target=Decimal(0), unit="tickets")
team_goal_set = GoalSet(
    level=GoalLevel.TEAM,
    owner=OWNER,
    team="Support",
    title="Halve the open tickets",
    metric=fewer_tickets,
    starts_on=JANUARY,
    ends_on=JUNE,
    parent=None,
)
halfway = GoalProgressRecorded(
    value=Decimal(100),
    raw_progress=Decimal(50),
    progress=Decimal(50),
    regressed=False,
    measured_at=NOW,
    source=ProgressSource.MANUAL,
)
achieved = GoalAchieved(value=Decimal(0), progress=Decimal(100), closed_on=JUNE)
expired = GoalExpired(ended_on=JUNE, zone="Europe/Berlin", due_at=NOW, late_seconds=0)
cancelled = GoalCancelled(reason="priorities-changed")
missed = GoalMissed(value=Decimal(100), progress=Decimal(50), closed_on=JUNE)

people = st.sampled_from([OWNER, MANAGER, HR])
goals = st.sampled_from([A_GOAL, PARENT, OTHER_PARENT])
words = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20).filter(str.strip).map(str.strip)
agreements = st.sampled_from([AGREEMENT, OTHER_AGREEMENT])
figures = st.decimals(min_value=-1000, max_value=1000, places=2)
shares = st.decimals(min_value=0, max_value=100, places=2)
several_words = st.lists(words, max_size=2).map(tuple)
visibilities = st.none() | st.sampled_from([*GoalVisibility, GoalVisibility("nobody")])
sealed_texts = st.builds(PersonalText, person=people, key=words, ciphertext=words, bound_to=words)
ways = st.builds(
    Metric,
    kind=st.sampled_from([*(set(MetricKind) - {MetricKind.ZONES, MetricKind.KEEP}), MetricKind("dial")]),
    start=figures,
    target=figures,
    unit=st.none() | words,
).filter(lambda metric: metric.start != metric.target)
zones = st.builds(
    Metric,
    kind=st.just(MetricKind.ZONES),
    start=st.none(),
    target=st.none(),
    zones=st.tuples(st.lists(figures, min_size=4, max_size=4, unique=True), st.booleans()).map(
        lambda drawn: Zones(
            **dict(zip(("fail", "commit", "target", "stretch"), sorted(drawn[0], reverse=drawn[1]), strict=True))
        )
    ),
)
keeps = st.builds(
    Metric,
    kind=st.just(MetricKind.KEEP),
    start=st.none(),
    target=st.none(),
    keep=st.builds(
        Keep,
        least=st.none() | figures,
        most=st.none() | figures,
        period=st.sampled_from([*KeepPeriod, KeepPeriod("decade")]),
    ),
)
partless = st.builds(Metric, kind=st.just(MetricKind("dial")), start=st.none(), target=st.none())
measures = st.sampled_from([*MeasuredBy, MeasuredBy("guess")])
metrics = ways | zones | keeps | partless
plan_weights = st.lists(st.builds(PlanWeight, goal=goals, weight=shares), max_size=3).map(tuple)

goal_events = st.one_of(
    st.builds(
        GoalSet,
        level=st.sampled_from([*GoalLevel, GoalLevel("division")]),
        owner=people,
        team=st.none() | words,
        title=words | sealed_texts,
        metric=st.none() | metrics,
        starts_on=st.dates(),
        ends_on=st.dates(),
        parent=st.none() | goals,
        weight=shares,
        weight_by_hand=st.booleans(),
        measured_by=st.none() | measures,
        description=st.none() | words | sealed_texts,
        values=several_words,
        competencies=several_words,
        tags=several_words,
        contributors=st.lists(people, max_size=2).map(tuple),
        contributes_to=st.lists(goals, max_size=2).map(tuple),
        visibility=visibilities,
        carried_from=st.none() | goals,
        objective=st.none() | st.sampled_from([*Commitment, Commitment("hoped-for")]),
    ),
    st.builds(
        ObjectiveGraded,
        commitment=st.sampled_from(Commitment),
        score=st.none() | shares,
        grade=shares,
        band=st.sampled_from(ScoreBand),
        comment=words | sealed_texts,
    ),
    st.builds(
        GoalAligned,
        parent=st.none() | goals,
        previous_parent=st.none() | goals,
        weight=shares,
        weight_by_hand=st.booleans(),
    ),
    st.builds(GoalMeasureChosen, measured_by=measures, previous=measures),
    st.builds(
        GoalHealthSet,
        health=st.sampled_from([*Health, Health("unwell")]),
        reason=words | sealed_texts,
        progress=st.none() | shares,
    ),
    st.builds(
        UpdateDue,
        stale_since=st.datetimes(timezones=st.just(UTC)),
        days=st.integers(min_value=1),
        due_at=st.datetimes(timezones=st.just(UTC)),
        late_seconds=st.integers(min_value=0),
    ),
    st.builds(
        GoalProgressRecorded,
        value=figures,
        raw_progress=figures,
        progress=shares,
        regressed=st.booleans(),
        measured_at=st.datetimes(timezones=st.just(UTC)),
        source=st.sampled_from([*ProgressSource, ProgressSource("sensor")]),
        late=st.booleans(),
    ),
    *(
        st.builds(
            closed,
            value=st.none() | figures,
            progress=st.none() | shares,
            closed_on=st.dates(),
            comment=st.none() | sealed_texts,
        )
        for closed in (GoalAchieved, GoalMissed)
    ),
    st.builds(GoalCancelled, reason=words, comment=st.none() | sealed_texts, amendment=st.none() | st.uuids()),
    st.builds(
        GoalReopened,
        reason=words,
        ends_on=st.dates(),
        value=st.none() | figures,
        progress=st.none() | shares,
        comment=st.none() | sealed_texts,
    ),
    st.builds(GoalDescribed, description=st.none() | words | sealed_texts),
    st.builds(GoalClassified, values=several_words, competencies=several_words, tags=several_words),
    st.builds(GoalVisibilityChosen, visibility=visibilities),
    *(st.builds(linked, to=goals) for linked in (GoalContributionAdded, GoalContributionRemoved, GoalCarriedOver)),
    *(st.builds(named, person=people) for named in (GoalContributorAdded, GoalContributorRemoved)),
    st.builds(
        GoalHandedOver,
        owner=people,
        previous_owner=people,
        team=st.none() | words,
        title=words | sealed_texts,
        description=st.none() | words | sealed_texts,
        reason=words,
        amendment=st.none() | st.uuids(),
    ),
    st.builds(GoalRetitled, title=words | sealed_texts, amendment=st.none() | st.uuids()),
    st.builds(
        GoalRescheduled,
        starts_on=st.dates(),
        ends_on=st.dates(),
        previous_starts_on=st.dates(),
        previous_ends_on=st.dates(),
        amendment=st.none() | st.uuids(),
    ),
    st.builds(
        GoalRetargeted,
        metric=metrics,
        previous=metrics,
        raw_progress=st.none() | figures,
        progress=st.none() | shares,
        regressed=st.booleans(),
        amendment=st.none() | st.uuids(),
    ),
    st.builds(GoalLocked, agreement=agreements),
    st.builds(GoalUnlocked, agreement=agreements),
    st.builds(
        GoalExpired,
        ended_on=st.dates(),
        zone=words,
        due_at=st.datetimes(timezones=st.just(UTC)),
        late_seconds=st.integers(min_value=0),
    ),
)
_scope: dict[str, Any] = {
    "owner": people,
    "level": st.sampled_from([*GoalLevel, GoalLevel("division")]),
    "starts_on": st.dates(),
    "ends_on": st.dates(),
    "weights": plan_weights,
}
_seen = st.lists(st.builds(SeenGoal, goal=goals, version=st.integers(1), fingerprint=words), max_size=2).map(tuple)
goal_plan_events = st.one_of(
    st.builds(PlannedGoalLost, owner=people, goal=goals, reason=words),
    st.builds(GoalPlanDrafted, drafted_by=people, **_scope),
    st.builds(GoalPlanProposed, seen=_seen, proposed_by=people, **_scope),
    st.builds(GoalPlanReturned, owner=people, comment=sealed_texts, returned_by=people),
    st.builds(GoalPlanAgreed, agreed_by=people, **_scope),
    st.builds(
        GoalAmendmentProposed,
        amendment=agreements,
        owner=people,
        weights=plan_weights,
        seen=_seen,
        changes=st.lists(
            st.builds(
                GoalChange,
                goal=goals,
                title=st.none() | words | sealed_texts,
                metric=st.none() | metrics,
                starts_on=st.none() | st.dates(),
                ends_on=st.none() | st.dates(),
            ),
            max_size=2,
        ).map(tuple),
        cancellations=st.lists(st.builds(GoalCancellation, goal=goals, reason=words), max_size=1).map(tuple),
        handovers=st.lists(st.builds(GoalHandover, goal=goals, to=people, reason=words), max_size=1).map(tuple),
        reason=sealed_texts,
        proposed_by=people,
    ),
    st.builds(GoalAmendmentReturned, amendment=agreements, owner=people, comment=sealed_texts, returned_by=people),
    st.builds(GoalPlanAmended, amendment=agreements, owner=people, weights=plan_weights, approved_by=people),
)
text_erased = st.builds(PersonalTextErased, person=people, by=people)
