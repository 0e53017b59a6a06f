"""The evidence hash: one text for one evidence, over ids and numbers alone."""

import hashlib
from decimal import Decimal
from uuid import UUID

from hypothesis import given as for_all

from services.reviews.domain.evidence import canonical, evidence_hash
from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.identifiers import FeedbackId, GoalId
from shared.schemas.reviews import Evidence
from tests.unit.services.reviews.form import EVIDENCE, evidences

FIRST, SECOND = GoalId(UUID(int=1)), GoalId(UUID(int=2))


def goal(identity: GoalId, progress: str | None) -> GoalEvidence:
    return GoalEvidence(
        goal=identity, progress=None if progress is None else Decimal(progress), version=3, position=120
    )


def test_keys_are_sorted_blanks_are_left_out_and_numbers_are_strings() -> None:
    evidence = Evidence(goals=(goal(FIRST, "72.50"),), feedback=(FeedbackId(UUID(int=7)),))
    assert canonical(evidence) == (
        '{"feedback":["00000000-0000-0000-0000-000000000007"],"goals":[{"goal":"00000000-0000-0000-0000-000000000001",'
        '"position":"120","progress":"72.5","version":"3"}]}'
    )


def test_the_hash_is_the_sha_256_of_that_text() -> None:
    assert evidence_hash(EVIDENCE) == hashlib.sha256(canonical(EVIDENCE).encode()).hexdigest()


def test_no_evidence_has_a_hash_too() -> None:
    assert canonical(Evidence(goals=(), feedback=())) == '{"feedback":[],"goals":[]}'


def test_the_order_in_which_it_was_gathered_does_not_matter() -> None:
    one = Evidence(goals=(goal(FIRST, "1"), goal(SECOND, None)), feedback=())
    other = Evidence(goals=(goal(SECOND, None), goal(FIRST, "1")), feedback=())
    assert evidence_hash(one) == evidence_hash(other)


def test_equal_numbers_are_the_same_text() -> None:
    texts = {canonical(Evidence(goals=(goal(FIRST, number),), feedback=())) for number in ("50", "50.0", "5E+1")}
    assert len(texts) == 1
    assert '"progress":"50"' in texts.pop()


def test_never_measured_is_not_the_same_as_zero() -> None:
    none, zero = (Evidence(goals=(goal(FIRST, number),), feedback=()) for number in (None, "0"))
    assert evidence_hash(none) != evidence_hash(zero)


@for_all(evidences)
def test_the_hash_survives_storage(evidence: Evidence) -> None:
    read = Evidence.model_validate_json(evidence.model_dump_json())
    assert evidence_hash(read) == evidence_hash(evidence)
