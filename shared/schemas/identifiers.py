"""Identifiers that travel between services."""

from typing import NewType
from uuid import UUID

PersonId = NewType("PersonId", UUID)
GoalId = NewType("GoalId", UUID)
KpiId = NewType("KpiId", UUID)
GoalPlanId = NewType("GoalPlanId", UUID)
GoalTemplateId = NewType("GoalTemplateId", UUID)
GoalAssignmentId = NewType("GoalAssignmentId", UUID)
FeedbackId = NewType("FeedbackId", UUID)
CheckInId = NewType("CheckInId", UUID)
ReviewCycleId = NewType("ReviewCycleId", UUID)
ReviewId = NewType("ReviewId", UUID)
RewardProgramId = NewType("RewardProgramId", UUID)
BudgetPoolId = NewType("BudgetPoolId", UUID)
RewardId = NewType("RewardId", UUID)
PaymentId = NewType("PaymentId", UUID)

SYSTEM = PersonId(UUID(int=0))
"""The actor of commands that a reaction gives; nobody's person id."""
