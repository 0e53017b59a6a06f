"""A review over HTTP, step by step: who may take which, what is frozen, and who reads what when."""

import hashlib
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from shared.eventsourcing.identifiers import uuid7
from shared.schemas.feedback import FeedbackVisibility
from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.identifiers import GoalId, ReviewId
from tests.integration.services.reviews.company import (
    ANN,
    BOB,
    CARL,
    DANA,
    FORM,
    HANNA,
    HUGO,
    OWN_FORM,
    Company,
    accepted,
    frozen,
    refused,
)
from tests.integration.services.reviews.published import history
from tests.integration.services.reviews.test_evidence import feedback

A_GOAL = GoalEvidence(
    goal=GoalId(UUID(int=1)),
    weight=Decimal("100.00"),
    value=Decimal("3.5"),
    progress=Decimal("72.50"),
    version=2,
    position=102,
)
STATES = ["self-assessed", "manager-assessed", "approved", "released", "acknowledged", "completed"]


async def test_a_review_goes_its_whole_way(company: Company) -> None:
    await company.opened()
    review = company.review()
    assessed = await accepted(company.ann.post(f"{review}/self-assessment", json=OWN_FORM))
    await company.answered()
    answers = [
        assessed,
        await accepted(company.carl.post(f"{review}/manager-assessment", json=FORM)),
        await accepted(company.dana.post(f"{review}/approve")),
        await accepted(company.hanna.post(f"{review}/release")),
        await accepted(company.ann.post(f"{review}/acknowledge", json={"comment": "Thank you."})),
        await accepted(company.hanna.post(f"{review}/complete")),
    ]
    assert [answer["state"] for answer in answers] == STATES
    assert [answer["version"] for answer in answers] == [3, 5, 6, 7, 8, 9]
    await company.settled()
    async with company.service.runtime.engine.connect() as connection:
        data = await connection.scalar(text("select data from events where type like '%.ReviewCompleted.v1'"))
    assert '"overall":"4.40","rated":true,"level":"exceeds"' in str(data)


async def test_each_answer_says_what_the_caller_may_do_next(company: Company) -> None:
    await company.opened()
    review = company.review()
    for client, actions in (
        (company.ann, ["self-assess"]),
        (company.carl, ["open-assessment"]),
        (company.dana, []),
        (company.hanna, []),
    ):
        assert (await accepted(client.get(review)))["allowed_actions"] == actions
    begun = await accepted(company.carl.post(f"{review}/manager-assessment/open"))
    assert begun["allowed_actions"] == [], "it waits for what the goals say"
    await company.answered()
    await company.settled()
    assert (await accepted(company.carl.get(review)))["allowed_actions"] == ["assess"]
    assessed = await accepted(company.carl.post(f"{review}/manager-assessment", json=FORM))
    assert assessed["allowed_actions"] == [], "the assessor does not approve"
    await company.settled()
    for client, actions in (
        (company.ann, []),
        (company.carl, []),
        (company.dana, ["approve"]),
        (company.hanna, ["approve"]),
    ):
        assert (await accepted(client.get(review)))["allowed_actions"] == actions


async def test_before_the_release_the_person_does_not_see_the_managers_assessment(company: Company) -> None:
    cycle = await company.opened()
    await company.assessed()
    review = company.review()
    own = await accepted(company.ann.get(review))
    assert own["self_assessment"]["comment"] == OWN_FORM["comment"]
    assert (own["state"], own["manager_assessment"]) == ("manager-assessed", None)
    listed = await accepted(company.ann.get("/reviews", params={"cycle": cycle}))
    assert [(item["rated"], item["overall"], item["level"]) for item in listed["items"]] == [(None, None, None)]
    await refused(company.ann.get(f"{review}/explanation"), 404, "problem:not-found")
    by_manager = await accepted(company.carl.get(review))
    assert by_manager["manager_assessment"]["comment"] == FORM["comment"]


async def test_after_the_release_the_person_reads_everything(company: Company) -> None:
    cycle = await company.opened()
    await company.released()
    own = await accepted(company.ann.get(company.review()))
    assert own["manager_assessment"]["comment"] == FORM["comment"]
    assert (own["manager_assessment"]["overall"], own["manager_assessment"]["level"]) == ("4.40", "exceeds")
    assert (own["approver"], own["releaser"]) == (str(HANNA), str(CARL))
    assert own["allowed_actions"] == ["acknowledge"]
    listed = await accepted(company.ann.get("/reviews", params={"cycle": cycle}))
    assert [item["overall"] for item in listed["items"]] == ["4.40"]


async def test_hr_does_not_see_the_assessment_of_their_own_review_either(company: Company) -> None:
    cycle = await company.opened()
    await company.begun(HANNA)
    await accepted(company.dana.post(f"{company.review(HANNA)}/manager-assessment", json=FORM))
    await company.settled()
    assert (await accepted(company.hanna.get(company.review(HANNA))))["manager_assessment"] is None
    await refused(company.hanna.get(f"{company.review(HANNA)}/explanation"), 404, "problem:not-found")
    listed = await accepted(company.hanna.get("/reviews", params={"cycle": cycle, "person": str(HANNA)}))
    assert [item["overall"] for item in listed["items"]] == [None]
    assert (await accepted(company.hugo.get(company.review(HANNA))))["manager_assessment"]["overall"] == "4.40"


async def test_the_explanation_tells_every_number(company: Company) -> None:
    await company.opened()
    await company.published(feedback(2, FeedbackVisibility.RECEIVER, to=ANN))
    await company.released(A_GOAL)
    told = await accepted(company.ann.get(f"{company.review()}/explanation"))
    assert told["steps"] == [
        "goals: (4 * 1) / (1) = 4",
        "competencies: (5 * 1) / (1) = 5",
        "coverage: 100 % of the sections' weight is rated, at least 60 % is asked",
        "overall: (4 * 60 + 5 * 40) / (60 + 40) = 4.40, rounded half-up once",
    ]
    assert (told["overall"], told["percent_of_scale"], told["coverage"]) == ("4.40", "85.00", "100.00")
    assert [(part["name"], part["rating"], part["gap"]) for part in told["sections"]] == [
        ("goals", "4.00", "1.00"),
        ("competencies", "5.00", None),
    ]
    assert told["evidence"] == {
        "goals": [A_GOAL.model_dump(mode="json")],
        "feedback": [str(UUID(int=2))],
        "goals_hash": frozen(ReviewId(UUID(company.reviews[ANN])), ANN, A_GOAL).evidence_hash,
    }
    assert hashlib.sha256(told["evidence_text"].encode()).hexdigest() == told["evidence_hash"]


async def test_the_assessor_sees_what_was_frozen_and_rates_by_it_alone(company: Company) -> None:
    await company.opened()
    await company.begun(ANN, A_GOAL)
    later = A_GOAL.model_copy(update={"progress": Decimal(99), "version": 9})
    await company.told(history("goalevidence", uuid7(), frozen(ReviewId(UUID(company.reviews[ANN])), ANN, later)))
    await company.settled()
    seen = await accepted(company.carl.get(company.review()))
    assert (seen["evidence"], seen["goals"]) == ("frozen", [A_GOAL.model_dump(mode="json")])
    await accepted(company.carl.post(f"{company.review()}/manager-assessment", json=FORM))
    await company.settled()
    told = await accepted(company.carl.get(f"{company.review()}/explanation"))
    assert told["evidence"]["goals"] == [A_GOAL.model_dump(mode="json")]


async def test_nobody_rates_before_the_goals_are_frozen(company: Company) -> None:
    await company.opened()
    path, rule = f"{company.review()}/manager-assessment", "rule:evidence-must-be-frozen-first"
    problem = await refused(company.carl.post(path, json=FORM), 409, rule)
    assert problem["values"] == {"evidence": "not-requested"}
    await accepted(company.carl.post(f"{path}/open"))
    problem = await refused(company.carl.post(path, json=FORM), 409, rule)
    assert problem["values"] == {"evidence": "requested"}
    await refused(company.ann.post(f"{path}/open"), 403, "problem:forbidden")
    await refused(company.hanna.post(f"{path}/open"), 409, "rule:only-the-manager-of-record-may-assess")


async def test_the_goals_are_asked_for_once_and_their_answer_is_taken_once(company: Company) -> None:
    await company.opened()
    review = company.review()
    await accepted(company.carl.post(f"{review}/manager-assessment/open"))
    await accepted(company.carl.post(f"{review}/manager-assessment/open"))
    await accepted(company.ann.post(f"{review}/self-assessment", json=OWN_FORM))
    await company.answered(ANN, A_GOAL)
    await company.answered(ANN, A_GOAL)
    async with company.service.runtime.engine.connect() as connection:
        asked = await connection.scalar(text("select count(*) from events where type like '%.EvidenceRequested.v1'"))
        taken = await connection.scalar(text("select count(*) from events where type like '%.GoalEvidenceTaken.v1'"))
    assert (asked, taken) == (1, 1)


async def test_in_a_closed_cycle_no_answer_is_taken(company: Company) -> None:
    cycle = await company.opened()
    await accepted(company.carl.post(f"{company.review()}/manager-assessment/open"))
    await accepted(company.hanna.post(f"/cycles/{cycle}/close", json={"reason": "done"}))
    await company.answered(ANN, A_GOAL)
    await company.settled()
    assert (await accepted(company.carl.get(company.review())))["evidence"] == "requested"


async def missing(client: httpx.AsyncClient, review: str, step: str) -> str:
    """What is said of a review that the client may not see, without its id."""
    asked = client.post(review + step) if step else client.get(review)
    document = await refused(asked, 404, "problem:not-found")
    return str(document["detail"]).replace(review.removeprefix("/reviews/"), "")


async def test_what_one_may_not_see_is_not_found(company: Company) -> None:
    await company.opened()
    await company.assessed()
    for stranger in (company.bob, company.eve):
        for path in (company.review(), f"{company.review()}/explanation", f"/reviews/{uuid7()}"):
            await refused(stranger.get(path), 404, "problem:not-found")
        await refused(stranger.post(f"{company.review()}/approve"), 404, "problem:not-found")
        for step in ("", "/release"):
            told = [await missing(stranger, review, step) for review in (company.review(), f"/reviews/{uuid7()}")]
            assert told[0] == told[1], "what exists is not told apart from what does not"
    await refused(company.hanna.get(f"/reviews/{uuid7()}"), 404, "problem:not-found")
    await refused(company.hanna.post(f"/reviews/{uuid7()}/approve"), 404, "problem:not-found")


async def test_what_one_may_see_but_not_do_is_forbidden(company: Company) -> None:
    await company.opened()
    review = company.review()
    await refused(company.carl.post(f"{review}/self-assessment", json=OWN_FORM), 403, "problem:forbidden")
    await refused(company.ann.post(f"{review}/manager-assessment", json=FORM), 403, "problem:forbidden")
    await refused(company.dana.post(f"{review}/manager-assessment", json=FORM), 403, "problem:forbidden")
    await company.assessed()
    await refused(company.ann.post(f"{review}/approve"), 403, "problem:forbidden")
    await refused(company.carl.post(f"{review}/complete"), 403, "problem:forbidden")


async def test_the_manager_of_record_assesses_although_hr_may_where_there_is_none(company: Company) -> None:
    await company.opened()
    problem = await refused(
        company.hanna.post(f"{company.review()}/manager-assessment", json=FORM),
        409,
        "rule:only-the-manager-of-record-may-assess",
    )
    assert problem["values"] == {"actor": str(HANNA)}
    await company.begun(DANA)
    await accepted(company.hanna.post(f"{company.review(DANA)}/manager-assessment", json=FORM))
    await refused(company.hanna.post(f"{company.review(DANA)}/approve"), 409, "rule:approver-is-the-assessor")
    assert (await accepted(company.hugo.post(f"{company.review(DANA)}/approve")))["state"] == "approved"


async def test_the_assessor_and_the_person_do_not_approve(company: Company) -> None:
    await company.opened()
    await company.begun(HANNA)
    await accepted(company.dana.post(f"{company.review(HANNA)}/manager-assessment", json=FORM))
    own = company.hanna.post(f"{company.review(HANNA)}/approve")
    await refused(own, 409, "rule:approver-is-the-reviewed-person")


async def test_a_step_out_of_order_names_the_state(company: Company) -> None:
    await company.opened()
    problem = await refused(company.hanna.post(f"{company.review()}/release"), 409, "rule:review-is-not-approved")
    assert problem["values"] == {"state": "opened"}


async def test_a_command_on_a_closed_cycle_is_rejected(company: Company) -> None:
    cycle = await company.opened()
    await company.assessed()
    await accepted(company.hanna.post(f"/cycles/{cycle}/close", json={"reason": "done"}))
    await refused(company.hanna.post(f"{company.review()}/approve"), 409, "rule:review-cycle-is-closed")
    await refused(
        company.carl.post(f"{company.review(BOB)}/manager-assessment", json=FORM), 409, "rule:review-cycle-is-closed"
    )
    await company.settled()
    assert (await accepted(company.hanna.get(company.review())))["allowed_actions"] == []
    assert (await accepted(company.hanna.get("/inbox")))["items"] == []


async def test_a_step_repeated_with_its_key_gives_the_same_answer(company: Company) -> None:
    await company.opened()
    key = {"Idempotency-Key": "assess-ann"}
    await company.begun()
    path = f"{company.review()}/manager-assessment"
    first = await company.carl.post(path, json=FORM, headers=key)
    again = await company.carl.post(path, json=FORM, headers=key)
    assert (again.status_code, again.json()) == (200, first.json())
    await refused(company.carl.post(path, json=FORM), 409, "rule:review-is-not-awaiting-the-manager")


async def test_a_step_may_ask_for_the_version_it_has_seen(company: Company) -> None:
    await company.opened()
    await company.assessed()
    seen = await company.hanna.get(company.review())
    assert seen.headers["etag"] == '"5"'
    path = f"{company.review()}/approve"
    await refused(company.hanna.post(path, headers={"If-Match": '"4"'}), 412, "problem:precondition-failed")
    await accepted(company.hanna.post(path, headers={"If-Match": seen.headers["etag"]}))


async def test_the_inbox_holds_what_waits_for_the_caller(company: Company) -> None:
    await company.opened(population={"people": [str(ANN), str(DANA)]})

    async def steps(client: Any) -> list[tuple[str, str]]:
        items = (await accepted(client.get("/inbox")))["items"]
        return sorted((item["step"], item["person"]) for item in items)

    assert await steps(company.ann) == [("self-assessment", str(ANN))]
    assert await steps(company.carl) == [("manager-assessment", str(ANN))]
    assert await steps(company.hanna) == [("manager-assessment", str(DANA))]
    assert await steps(company.bob) == []
    await company.assessed()
    assert await steps(company.carl) == []
    assert await steps(company.hugo) == sorted([("approval", str(ANN)), ("manager-assessment", str(DANA))])


async def test_reviews_are_listed_for_those_who_may_see_them(company: Company) -> None:
    await company.opened()

    async def people(client: Any, **params: Any) -> set[str]:
        return {item["person"] for item in (await accepted(client.get("/reviews", params=params)))["items"]}

    assert await people(company.ann) == {str(ANN)}
    assert await people(company.carl) == {str(CARL), str(ANN), str(BOB)}
    assert await people(company.dana) == {str(DANA), str(CARL), str(HANNA), str(HUGO)}
    assert await people(company.dana, person=str(ANN)) == {str(ANN)}, "a manager above, who asks for the person"
    assert await people(company.eve, person=str(ANN)) == set()
    assert await people(company.bob, person=str(ANN)) == set()
    assert len(await people(company.hanna)) == 6


async def test_lists_come_page_by_page(company: Company) -> None:
    await company.opened()
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await accepted(company.hanna.get("/reviews", params={"limit": 4, **cursor}))
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == sorted(company.reviews.values())
    await refused(company.hanna.get("/reviews", params={"cursor": "x"}), 422, "problem:invalid-request")


@pytest.mark.parametrize(
    ("rating", "answer"),
    [
        ({"section": "goals", "item": "delivery", "rating": "5.01"}, (409, "rule:rating-is-outside-the-scale")),
        ({"section": "attendance", "item": "x", "rating": "5"}, (409, "rule:section-is-not-in-the-policy")),
        ({"section": "goals", "item": "delivery", "rating": 5}, (422, "problem:invalid-request")),
        ({"section": "goals", "item": "Free text!", "rating": "5"}, (422, "problem:invalid-request")),
    ],
)
async def test_a_rating_that_cannot_be_is_refused(
    company: Company, rating: dict[str, Any], answer: tuple[int, str]
) -> None:
    await company.opened()
    await company.begun()
    await refused(company.carl.post(f"{company.review()}/manager-assessment", json={"ratings": [rating]}), *answer)


async def test_comments_are_stored_sealed_and_shown_as_erased_once_the_person_is(company: Company) -> None:
    await company.opened()
    await company.released()
    async with company.service.runtime.engine.connect() as connection:
        kept = [*await connection.scalars(text("select data from events"))]
        kept += [str(row) for row in await connection.execute(text("select * from review_sheets"))]
    assert not [value for value in kept if "migration" in value or "commitment" in value]
    before = await accepted(company.carl.get(company.review()))
    await accepted(company.hanna.post(f"/persons/{ANN}/erase"))
    after = await accepted(company.carl.get(company.review()))
    assert after["self_assessment"]["comment"] == after["manager_assessment"]["comment"] == "erased"
    assert after["manager_assessment"]["overall"] == before["manager_assessment"]["overall"] == "4.40"
    problem = await refused(
        company.ann.post(f"{company.review()}/acknowledge", json={"comment": "Bye."}), 409, "rule:person-is-erased"
    )
    assert problem["values"] == {"person": str(ANN)}
    await refused(company.carl.post(f"/persons/{ANN}/erase"), 403, "problem:forbidden")
