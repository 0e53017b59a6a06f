"""Rules of goal templates: kept in the library, rewritten, retired for good; measured as any goal is."""

from decimal import Decimal
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.goals.domain.goal_template import TEMPLATE, CreateTemplate, NotCreated, RetireTemplate, RewriteTemplate
from services.goals.domain.metric import MetricBody
from shared.schemas.event import Event, encode
from shared.schemas.goal_metrics import Metric, MetricKind
from shared.schemas.goal_templates import GoalTemplateCreated, GoalTemplateRetired, GoalTemplateRewritten, TemplatedGoal
from shared.schemas.goals import TYPES
from tests.spec import given
from tests.unit.services.goals.examples import HR, NOW, words

SAID: dict[str, Any] = {"name": "Onboarding", "title": "Know our customers", "tags": ("onboarding",)}
BY_HR: dict[str, Any] = {"at": NOW, "by": HR}
TWO_DAYS = MetricBody(kind=MetricKind.MILESTONES, target=Decimal(2), unit="days")
GOAL = TemplatedGoal(
    title="Know our customers",
    description=None,
    metric=Metric(kind=MetricKind.MILESTONES, start=Decimal(0), target=Decimal(2), unit="days"),
    values=(),
    competencies=(),
    tags=("onboarding",),
    visibility=None,
)
created = GoalTemplateCreated(name="Onboarding", goal=GOAL)
rewritten = GoalTemplateRewritten(name="The first month", goal=GOAL.model_copy(update={"title": "Meet everybody"}))
retired = GoalTemplateRetired(reason="replaced")


def test_a_goal_is_kept_in_the_library() -> None:
    given(TEMPLATE).when(CreateTemplate(**SAID, metric=TWO_DAYS, **BY_HR)).then(created)


def test_a_template_is_created_once() -> None:
    given(TEMPLATE, created).when(CreateTemplate(**SAID, **BY_HR)).then_rejected("goal-template-is-already-created")


def test_a_template_is_measured_as_a_goal_is() -> None:
    """What no goal can be measured by is refused here, and not a thousand times when it is assigned."""
    nowhere = MetricBody(kind=MetricKind.NUMBER, start=Decimal(3), target=Decimal(3))
    command = CreateTemplate(**SAID, metric=nowhere, **BY_HR)
    given(TEMPLATE).when(command).then_rejected("metric-start-must-differ-from-target", start=Decimal(3))


def test_a_template_says_something_else_from_now_on() -> None:
    said = {**SAID, "name": "The first month", "title": "Meet everybody"}
    command = RewriteTemplate(**said, metric=TWO_DAYS, **BY_HR)
    given(TEMPLATE, created).when(command).then(rewritten)
    given(TEMPLATE, created, rewritten).when(command).then_nothing()


def test_a_retired_template_stays_as_it_was() -> None:
    given(TEMPLATE, created).when(RetireTemplate(reason="replaced", **BY_HR)).then(retired)
    given(TEMPLATE, created, retired).when(RetireTemplate(reason="again", **BY_HR)).then_nothing()
    command = RewriteTemplate(**SAID, **BY_HR)
    given(TEMPLATE, created, retired).when(command).then_rejected("goal-template-is-not-current", state="Retired")


def test_what_was_never_created_is_neither_rewritten_nor_retired() -> None:
    for command in (RewriteTemplate(**SAID, **BY_HR), RetireTemplate(reason="replaced", **BY_HR)):
        given(TEMPLATE).when(command).then_rejected("goal-template-is-not-current", state="NotCreated")


EVENTS = st.one_of(
    st.builds(GoalTemplateCreated, name=words, goal=st.just(GOAL)),
    st.builds(GoalTemplateRewritten, name=words, goal=st.just(GOAL)),
    st.builds(GoalTemplateRetired, reason=words),
)


@for_all(EVENTS)
def test_events_survive_storage(event: Event) -> None:
    assert TYPES.decode(event.event_type, encode(event)) == event


@for_all(st.lists(EVENTS, max_size=6))
def test_no_history_is_too_strange_and_deciding_twice_adds_nothing(history: list[Event]) -> None:
    state = TEMPLATE.fold(history)
    if isinstance(state, NotCreated):
        assert history == []
        return
    command = RetireTemplate(reason="replaced", **BY_HR)
    state = TEMPLATE.fold(TEMPLATE.decide(state, command), state)
    assert TEMPLATE.decide(state, command) == []
