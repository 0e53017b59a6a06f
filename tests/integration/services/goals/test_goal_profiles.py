"""Goal profiles: events in, rows out, in slices of any size and delivered twice."""

from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.projections import goal_profiles
from services.goals.projections.goal_profiles import Profile
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goal_changes import GoalClassified, GoalDescribed, GoalLocked, GoalUnlocked
from shared.schemas.goal_ties import GoalCarriedOver, GoalContributionAdded, GoalContributionRemoved, GoalHandedOver
from shared.schemas.goals import GoalReopened
from shared.schemas.personal_text import PersonalText
from tests.integration.services.goals.trees import LEAF, LEFT, RIGHT, ROOT, history
from tests.unit.services.goals.examples import AGREEMENT, JUNE, MANAGER, OWNER, halfway, missed, team_goal_set

sealed = PersonalText(person=OWNER, key="k", ciphertext="c", bound_to="e/note")
HISTORY = history(
    LEAF,
    team_goal_set.model_copy(update={"contributes_to": (ROOT,), "carried_from": LEFT, "values": ("candour",)}),
    GoalDescribed(description="sealed:it is not"),
    GoalClassified(values=("candour",), competencies=("planning",), tags=("2026",)),
    GoalContributionAdded(to=RIGHT),
    GoalContributionRemoved(to=ROOT),
    GoalLocked(agreement=AGREEMENT),
    halfway.model_copy(update={"note": sealed, "confidence": 0}),
    halfway,
    missed.model_copy(update={"comment": sealed}),
    GoalReopened(reason="too-early", ends_on=JUNE, value=None, progress=None),
    GoalCarriedOver(to=RIGHT),
)
EXPECTED = Profile(
    goal=LEAF,
    description="sealed:it is not",
    values=["candour"],
    competencies=["planning"],
    tags=["2026"],
    contributes_to=[RIGHT],
    carried_from=LEFT,
    carried_to=RIGHT,
    agreements=[AGREEMENT],
    confidence=0,
    note=sealed,
    reason="too-early",
)


async def deliver(engine: AsyncEngine, events: Sequence[Recorded], size: int) -> None:
    for start in range(0, len(events), size):
        async with engine.begin() as connection:
            await goal_profiles.apply(connection, events[start : start + size])


async def shown(engine: AsyncEngine) -> Profile | None:
    async with engine.connect() as connection:
        return await goal_profiles.find(connection, LEAF)


@pytest.mark.parametrize("size", [1, 3, len(HISTORY)])
async def test_a_profile_is_the_same_in_slices_of_any_size(engine: AsyncEngine, size: int) -> None:
    await deliver(engine, HISTORY, size)
    assert await shown(engine) == EXPECTED
    await deliver(engine, HISTORY, size)
    assert await shown(engine) == EXPECTED


async def test_a_text_is_sealed_for_the_next_owner_and_a_lock_ends(engine: AsyncEngine) -> None:
    described = sealed.model_copy(update={"person": MANAGER})
    given = GoalHandedOver(
        owner=MANAGER, previous_owner=OWNER, team=None, title=described, description=described, reason="changed-teams"
    )
    events = history(LEAF, team_goal_set, GoalLocked(agreement=AGREEMENT), given, GoalUnlocked(agreement=AGREEMENT))
    await deliver(engine, events, 2)
    profile = await shown(engine)
    assert profile is not None
    assert (profile.description, profile.agreements) == (described, [])


async def test_what_happens_to_a_goal_that_was_never_set_leaves_no_profile(engine: AsyncEngine) -> None:
    await deliver(engine, history(LEAF, GoalLocked(agreement=AGREEMENT)), 1)
    assert await shown(engine) is None
