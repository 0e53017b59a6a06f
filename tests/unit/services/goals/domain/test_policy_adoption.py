"""Rules of policies: from a preset or from what is in force, each option known and valid, each version kept."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import JsonValue

from services.goals.api.policies import load_options
from services.goals.domain.plan_period import PLAN_PERIOD, Period
from services.goals.domain.plan_weights import PLAN_GOALS, PLAN_WEIGHTS, CountLimits
from services.goals.domain.policy import DEFAULT, Option, Policy, options
from services.goals.domain.policy_adoption import ADOPTION, AdoptPolicy, NotAdopted, in_force
from services.goals.domain.policy_presets import PRESETS
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import encode
from shared.schemas.goal_policies import GoalPolicyAdopted, Preset
from shared.schemas.goals import TYPES
from tests.spec import given
from tests.unit.services.goals.examples import HR, NOW, people, words

load_options()


def adopt(preset: Preset | None = None, **chosen: Any) -> AdoptPolicy:
    named = {name.replace("_", "-"): value for name, value in chosen.items()}
    return AdoptPolicy(preset=preset, options=named, reason="new-year", at=NOW, by=HR)


def after(*commands: AdoptPolicy) -> list[GoalPolicyAdopted]:
    state, history = ADOPTION.initial, list[GoalPolicyAdopted]()
    for command in commands:
        events = ADOPTION.decide(state, command)
        state = ADOPTION.fold(events, state)
        history.extend(event for event in events if isinstance(event, GoalPolicyAdopted))
    return history


def chosen_after(*commands: AdoptPolicy) -> Policy:
    return in_force(ADOPTION.fold(after(*commands)))


def test_until_one_is_adopted_every_option_has_its_default() -> None:
    policy = in_force(NotAdopted())
    assert policy.version == "default-0"
    assert all(policy[option] == option.default for option in options().values())


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_is_adopted_whole(preset: Preset) -> None:
    policy = chosen_after(adopt(preset))
    assert policy.version == f"{preset}-1"
    assert PRESETS[preset].items() <= policy.chosen.items()
    assert policy.chosen.keys() == options().keys()


def test_a_company_changes_what_it_wants_in_a_preset() -> None:
    policy = chosen_after(adopt(Preset.ENTERPRISE, plan_goals={"maximum": 8}))
    assert policy[PLAN_GOALS] == CountLimits(minimum=1, maximum=8)
    assert policy[PLAN_WEIGHTS].maximum == 60


def test_a_later_version_starts_from_the_one_in_force() -> None:
    policy = chosen_after(adopt(Preset.ENTERPRISE), adopt(plan_period="quarter"))
    assert (policy.version, policy[PLAN_PERIOD], policy[PLAN_GOALS].maximum) == ("enterprise-2", Period.QUARTER, 10)


def test_a_policy_without_a_preset_is_the_companys_own() -> None:
    assert chosen_after(adopt(plan_period="year")).version == "own-1"


def test_adopting_the_same_again_changes_nothing() -> None:
    given(ADOPTION, *after(adopt(Preset.SCHOOL))).when(adopt(Preset.SCHOOL)).then_nothing()
    given(ADOPTION, *after(adopt(Preset.SCHOOL))).when(adopt(plan_period="half-year")).then_nothing()


def test_an_option_that_nobody_declared_is_refused() -> None:
    given(ADOPTION).when(adopt(plan_moods=3)).then_rejected(
        "policy-option-must-be-known", option="plan-moods", known=sorted(options())
    )


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("plan-period", "fortnight", ""),
        ("plan-goals", {"minimum": 0}, "minimum"),
        ("plan-goals", {"minimum": 5, "maximum": 2}, ""),
        ("plan-weights", {"maximum": 60}, "maximum"),
        ("plan-weights", None, ""),
    ],
)
def test_a_value_that_the_option_does_not_take_is_refused(name: str, value: JsonValue, field: str) -> None:
    command = AdoptPolicy(options={name: value}, reason="new-year", at=NOW, by=HR)
    given(ADOPTION).when(command).then_rejected("policy-option-must-be-valid", option=name, value=value, field=field)


def test_an_option_younger_than_the_policy_has_its_default_until_the_next_version() -> None:
    [old] = after(adopt(Preset.FAMILY))
    younger = old.model_copy(update={"options": {"plan-period": "year", "gone-since": True}})
    state = ADOPTION.fold([younger])
    assert in_force(state)[PLAN_GOALS] == PLAN_GOALS.default
    [later] = ADOPTION.decide(state, adopt(plan_period="month"))
    assert isinstance(later, GoalPolicyAdopted)
    assert later.options.keys() == options().keys()


def test_two_options_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="plan-period"):
        Option("plan-period", Period, default=Period.ANY, means="the same name again")


def test_the_default_is_what_the_option_would_be_read_as() -> None:
    for option in options().values():
        assert option.read(option.write(option.default)) == option.default, option.name
        assert DEFAULT[option] == option.default


adoptions = st.builds(
    GoalPolicyAdopted,
    version=words,
    preset=st.sampled_from([*Preset, Preset("guild")]) | st.none(),
    options=st.dictionaries(st.sampled_from(["plan-period", "unheard-of"]), st.none() | words | st.integers()),
    reason=words,
    adopted_by=people,
)
commands = st.sampled_from([adopt(), adopt(Preset.STARTUP), adopt(plan_period="month"), adopt(plan_moods=1)])


@for_all(adoptions)
def test_events_survive_storage(event: GoalPolicyAdopted) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert encode(event) == stored


@for_all(st.lists(adoptions, max_size=4))
def test_evolve_never_fails_on_any_history(history: list[GoalPolicyAdopted]) -> None:
    ADOPTION.fold(history)


@for_all(st.lists(adoptions, max_size=3), commands)
def test_deciding_twice_adds_nothing(history: list[GoalPolicyAdopted], command: AdoptPolicy) -> None:
    state = ADOPTION.fold(history)
    try:
        state = ADOPTION.fold(ADOPTION.decide(state, command), state)
        again = ADOPTION.decide(state, command)
    except Rejected:
        return
    assert list(again) == []
