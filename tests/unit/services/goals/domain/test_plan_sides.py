"""Who agrees with whom: owner and manager, leader and their manager, organization owner and HR; never oneself."""

import pytest

from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.plan_sides import PLAN_AGREEMENT, Agreeing, Standing
from services.goals.domain.policy import DEFAULT, Policy
from shared.schemas.goal_levels import GoalLevel
from tests.spec import given
from tests.unit.services.goals.examples import HR, MANAGER, OWNER
from tests.unit.services.goals.plans import agree, agreed, fact, proposed, weights
from tests.unit.services.goals.policies import choosing

PERSON, TEAM, ORGANIZATION = GoalLevel.PERSON, GoalLevel.TEAM, GoalLevel.ORGANIZATION
the_manager, skip_level, hr, nobody = Standing(manager=True), Standing(line=True), Standing(hr=True), Standing()
hr_of_the_top = Standing(hr=True, has_manager=False)
line, always_hr = choosing(PLAN_AGREEMENT, Agreeing.LINE), choosing(PLAN_AGREEMENT, Agreeing.HR)


@pytest.mark.parametrize(
    ("level", "standing", "policy"),
    [
        pytest.param(PERSON, the_manager, DEFAULT, id="owner and manager"),
        pytest.param(TEAM, the_manager, DEFAULT, id="leader and their manager"),
        pytest.param(ORGANIZATION, hr, DEFAULT, id="organization owner and HR"),
        pytest.param(PERSON, hr_of_the_top, DEFAULT, id="without a manager HR"),
        pytest.param(TEAM, hr_of_the_top, DEFAULT, id="without a manager HR, for a team too"),
        pytest.param(PERSON, skip_level, line, id="anybody in the line, where the company wants that"),
        pytest.param(PERSON, the_manager, line, id="the manager is in the line"),
        pytest.param(PERSON, hr, always_hr, id="HR, where the company wants that"),
    ],
)
def test_the_other_agrees(level: GoalLevel, standing: Standing, policy: Policy) -> None:
    by_the_owner = proposed("100.00", level=level, proposed_by=OWNER)
    answer = agree(by=MANAGER, standing=standing, policy=policy, facts=(fact(weights("100")[0].goal, level=level),))
    given(GOAL_PLAN, by_the_owner).when(answer).then(
        agreed.model_copy(update={"level": level, "weights": weights("100.00"), "agreed_by": MANAGER})
    )


@pytest.mark.parametrize(
    ("level", "standing", "policy", "other"),
    [
        pytest.param(PERSON, hr, DEFAULT, "manager", id="HR beside a manager"),
        pytest.param(PERSON, skip_level, DEFAULT, "manager", id="a manager further up"),
        pytest.param(PERSON, nobody, line, "line", id="a stranger"),
        pytest.param(ORGANIZATION, the_manager, DEFAULT, "hr", id="the manager of who owns the organization's goal"),
        pytest.param(PERSON, Standing(has_manager=False), DEFAULT, "hr", id="a stranger, where there is no manager"),
        pytest.param(PERSON, the_manager, always_hr, "hr", id="the manager, where the company wants HR"),
    ],
)
def test_nobody_else_agrees(level: GoalLevel, standing: Standing, policy: Policy, other: str) -> None:
    by_the_owner = proposed("100.00", level=level, proposed_by=OWNER)
    answer = agree(by=HR, standing=standing, policy=policy)
    given(GOAL_PLAN, by_the_owner).when(answer).then_rejected(
        "plan-is-agreed-by-the-owner-and-the-other", owner=OWNER, other=other, by=HR
    )


def test_who_is_the_others_successor_agrees_to_what_the_owner_proposed() -> None:
    """The right to agree is that of who is the manager now."""
    by_the_owner = proposed("100.00", proposed_by=OWNER)
    given(GOAL_PLAN, by_the_owner).when(agree(by=HR, standing=the_manager)).then(
        agreed.model_copy(update={"weights": weights("100.00"), "agreed_by": HR})
    )


def test_a_successor_does_not_agree_to_what_the_predecessor_proposed() -> None:
    by_the_predecessor = proposed("100.00", proposed_by=MANAGER)
    given(GOAL_PLAN, by_the_predecessor).when(agree(by=HR, standing=the_manager)).then_rejected(
        "goal-plan-needs-its-owner", owner=OWNER, proposed_by=MANAGER, by=HR
    )


def test_hr_does_not_agree_with_themselves() -> None:
    """Whoever works in HR and owns the organization's goal is the owner there, and nothing besides."""
    own = proposed("100.00", owner=HR, level=ORGANIZATION, proposed_by=HR)
    given(GOAL_PLAN, own).when(agree(by=HR, standing=hr)).then_rejected(
        "goal-plan-must-be-agreed-by-the-other", proposed_by=HR, by=HR
    )
