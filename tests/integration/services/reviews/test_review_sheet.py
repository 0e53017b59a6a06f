"""What one review says, on a real PostgreSQL: events in, the sheet out."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.domain.evidence import evidence_hash
from services.reviews.projections.review_sheet import (
    PROJECTION,
    EvidenceState,
    ManagerAssessment,
    ReviewSheet,
    SelfAssessment,
    find,
)
from services.reviews.projections.review_state import STATES
from tests.integration.services.reviews.published import out_of_phase
from tests.integration.services.reviews.steps import COMMENT, review, review_id, score_of
from tests.unit.services.reviews.form import ANN, CYCLE, EVIDENCE, HR, MANAGER, NOW, POLICY, rated


async def test_a_new_review_holds_its_policy_and_nothing_else(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, review(1))
    assert await find(connection, review_id(1)) == ReviewSheet(
        review=review_id(1),
        cycle=CYCLE,
        person=ANN,
        manager=MANAGER,
        policy=POLICY,
        state="opened",
        version=1,
        opened_at=NOW + timedelta(minutes=1),
        changed_at=NOW + timedelta(minutes=1),
        evidence=EvidenceState.NOT_REQUESTED,
        frozen_goals=(),
        self_assessment=None,
        manager_assessment=None,
        approver=None,
        releaser=None,
        acknowledgement=None,
    )


async def test_a_completed_review_holds_all_that_was_said(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, review(1, until="completed", overall="4.40"))
    sheet = await find(connection, review_id(1))
    assert sheet is not None
    assert sheet.self_assessment == SelfAssessment(ratings=(rated("goals", "5"),), comment=COMMENT)
    assert sheet.manager_assessment == ManagerAssessment(
        assessor=MANAGER,
        ratings=(rated("goals", "4"), rated("competencies", None)),
        comment=COMMENT,
        evidence=EVIDENCE,
        evidence_hash=evidence_hash(EVIDENCE),
        score=score_of("4.40"),
    )
    assert (sheet.state, sheet.version, sheet.approver, sheet.releaser) == ("completed", 7, HR, HR)
    assert sheet.acknowledgement == COMMENT


async def test_a_review_that_does_not_exist_is_not_found(connection: AsyncConnection) -> None:
    assert await find(connection, review_id(1)) is None


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_the_sheets_are_the_same(connection: AsyncConnection, seed: int) -> None:
    streams = [review(n, until=state) for n, state in enumerate(STATES)]
    for events in out_of_phase(streams, seed):
        await PROJECTION.apply(connection, events)
    sheets = [await find(connection, review_id(n)) for n in range(len(STATES))]
    assert [sheet.state for sheet in sheets if sheet is not None] == list(STATES)
    assert [sheet.version for sheet in sheets if sheet is not None] == list(range(1, 8))
