"""Amounts per reward are what a mapping would hold, and what was changed leaves what it was before alone."""

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from services.rewards.domain.amounts import NONE
from shared.eventsourcing.identifiers import derived
from shared.schemas.identifiers import RewardId

REWARDS = [RewardId(derived("reward", n)) for n in range(40)]
changes = st.lists(st.tuples(st.sampled_from(REWARDS), st.integers(min_value=0, max_value=9)), max_size=60)


@settings(deadline=None)
@for_all(changes)
def test_they_hold_what_a_mapping_would(sequence: list[tuple[RewardId, int]]) -> None:
    """An amount of 0 stands for taking the reward out. Every state on the way is compared at the end."""
    states, expected = [NONE], [dict[RewardId, int]()]
    for reward, minor in sequence:
        states.append(states[-1].put(reward, minor) if minor else states[-1].without(reward))
        others = {other: amount for other, amount in expected[-1].items() if other != reward}
        expected.append({**others, reward: minor} if minor else others)
    for state, held in zip(states, expected, strict=True):
        assert {reward: state.of(reward) for reward in REWARDS if reward in state} == held
        assert sorted(state.values()) == sorted(held.values())
