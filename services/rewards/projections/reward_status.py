"""Where a reward stands, as the read models and those who ask them name it."""

from typing import Final

from shared.schemas.values import OpenEnum


class RewardStatus(OpenEnum):
    NOT_PROPOSED = "not-proposed"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    GRANTED = "granted"


VISIBLE_TO_BENEFICIARY: Final = frozenset({RewardStatus.APPROVED, RewardStatus.GRANTED})
"""While others are deciding, the person whose reward it is does not see it, whatever role they have."""
