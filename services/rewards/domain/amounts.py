"""Amounts per reward, as a pool holds tens of thousands of them: to change one copies few of the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.schemas.identifiers import RewardId

_SHELVES: Final = 256
_EMPTY: Final[tuple[Mapping[RewardId, int], ...]] = ({},) * _SHELVES


@dataclass(frozen=True, slots=True)
class Amounts:
    """Minor units by reward. What is changed shares all its shelves but one with what it was before."""

    _shelves: tuple[Mapping[RewardId, int], ...] = _EMPTY

    def __contains__(self, reward: RewardId) -> bool:
        return reward in self._shelves[_shelf_of(reward)]

    def of(self, reward: RewardId) -> int:
        """The amount for the reward; 0 if there is none."""
        return self._shelves[_shelf_of(reward)].get(reward, 0)

    def put(self, reward: RewardId, minor: int) -> "Amounts":
        """With this amount for the reward."""
        return self._with(_shelf_of(reward), {**self._shelves[_shelf_of(reward)], reward: minor})

    def without(self, reward: RewardId) -> "Amounts":
        """With none for the reward."""
        if reward not in self:
            return self
        shelf = self._shelves[_shelf_of(reward)]
        return self._with(_shelf_of(reward), {other: minor for other, minor in shelf.items() if other != reward})

    def _with(self, at: int, shelf: Mapping[RewardId, int]) -> "Amounts":
        return Amounts((*self._shelves[:at], shelf, *self._shelves[at + 1 :]))

    def values(self) -> Iterator[int]:
        return (minor for shelf in self._shelves for minor in shelf.values())


def _shelf_of(reward: RewardId) -> int:
    return reward.int % _SHELVES


NONE: Final = Amounts()
"""No amount for any reward."""
