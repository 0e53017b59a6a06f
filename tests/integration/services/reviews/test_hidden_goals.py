"""Goals that their owner shows to the manager alone: frozen for a review they name themselves to nobody further up."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.identifiers import GoalId
from tests.integration.services.reviews.company import ANN, FORM, Company, accepted

SEEN, CLOSED = (
    GoalEvidence(goal=GoalId(UUID(int=number)), progress=Decimal(70), visibility=visibility, version=2, position=number)
    for number, visibility in ((101, None), (102, GoalVisibility.OWNER_AND_MANAGER))
)
LATER = CLOSED.model_copy(update={"visibility": GoalVisibility("board")})
"""Of a visibility that this version does not know."""


def rated(*goals: GoalEvidence) -> dict[str, Any]:
    of_goals = [{"section": "goals", "item": str(goal.goal), "rating": "4"} for goal in goals]
    return {**FORM, "ratings": [*of_goals, {"section": "competencies", "item": "collaboration", "rating": "5"}]}


async def assessed(company: Company, *goals: GoalEvidence) -> None:
    await company.opened()
    await accepted(company.ann.post(f"{company.review()}/self-assessment", json=rated(*goals)))
    await company.answered(ANN, *goals)
    await accepted(company.carl.post(f"{company.review()}/manager-assessment", json=rated(*goals)))
    await company.settled()


async def read(reader: httpx.AsyncClient, company: Company) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The whole answers as text, the review, and how its score is explained."""
    review, told = [await reader.get(f"{company.review()}{path}") for path in ("", "/explanation")]
    return review.text + told.text, review.json(), told.json()


@pytest.mark.parametrize("closed", [CLOSED, LATER], ids=["owner-and-manager", "unknown"])
async def test_who_is_further_up_is_told_how_many_goals_are_hidden_and_not_which(
    company: Company, closed: GoalEvidence
) -> None:
    await assessed(company, SEEN, closed)
    text, review, told = await read(company.dana, company)
    assert str(SEEN.goal) in text
    assert str(closed.goal) not in text
    assert (review["goals_hidden"], told["goals_hidden"], told["evidence_text"]) == (1, 1, None)
    assert [goal["goal"] for goal in told["evidence"]["goals"]] == [str(SEEN.goal)]
    assert "goals: (4 * 1 + 4 * 1) / (1 + 1) = 4" in told["steps"], "every number of the score is told"


async def test_the_manager_of_record_and_hr_read_all_of_it(company: Company) -> None:
    await assessed(company, SEEN, CLOSED)
    for reader in (company.carl, company.hanna):
        text, review, told = await read(reader, company)
        assert str(CLOSED.goal) in text
        assert (review["goals_hidden"], told["goals_hidden"]) == (0, 0)
        assert told["evidence_text"] is not None
    own = await accepted(company.ann.get(company.review()))
    assert [goal["goal"] for goal in own["goals"]] == [str(SEEN.goal), str(CLOSED.goal)]
