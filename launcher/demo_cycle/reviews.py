"""Reviews: a cycle over everybody; self-assessment, assessment, approval, release, acknowledgement, completion."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from launcher.demo_cycle.client import Actor, Refused
from launcher.demo_cycle.goals import reach_of
from launcher.demo_cycle.stage import Stage, employee, hr, manager
from shared.eventsourcing.identifiers import derived
from shared.schemas.people import PersonRecord

_POLICY: Final = {
    "version": "demo-1",
    "sections": [{"name": "goals", "weight": "60"}, {"name": "competencies", "weight": "40"}],
    "levels": [
        {"name": "below-expectations", "minimum": "1.00"},
        {"name": "meets-expectations", "minimum": "2.50"},
        {"name": "exceeds-expectations", "minimum": "4.00"},
    ],
}
_GOOD, _FAIR = 0.95, 0.7


@dataclass(frozen=True)
class Review:
    """A person's review in the cycle."""

    id: str
    person: PersonRecord
    manager: PersonRecord | None


async def open_cycle(stage: Stage) -> tuple[str, list[Review]]:
    """HR opens the cycle; everybody who works here has a review then."""
    people = [str(p.person) for p in stage.company.people]
    name = f"Performance cycle no. {stage.number}"
    start, end = stage.period
    body = {"name": name, "starts_on": start, "ends_on": end, "policy": _POLICY, "population": {"people": people}}

    async def opened() -> str:
        while True:
            try:
                return (await stage.client.post(hr(stage.company.hr), "/reviews/v1/cycles", body))["id"]
            except Refused as refused:  # the people feed may not have arrived there yet
                if refused.problem.get("rule") != "people-are-not-employed":
                    raise
                await asyncio.sleep(0.2)

    [cycle] = await stage.each("review cycle opened over everybody", [None], lambda _: opened())
    company = stage.company
    return cycle, [Review(str(derived("review", cycle, p.person)), p, company.manager_of(p)) for p in company.people]


async def rate_and_release(stage: Stage, reviews: list[Review]) -> None:
    """Every step by whom it belongs to."""
    await stage.each("self-assessments", reviews, lambda r: _self_assess(stage, r))
    await stage.each("managers' assessments, evidence frozen", reviews, lambda r: _assess(stage, r))
    await stage.each("approved by a second person", reviews, lambda r: _approve(stage, r))
    await stage.each("released", reviews, lambda r: _release(stage, r))
    await stage.each("acknowledged", reviews, lambda r: _acknowledge(stage, r))


async def complete(stage: Stage, reviews: list[Review]) -> None:
    """What sets the rewards off."""
    await stage.each("reviews completed", reviews, lambda r: _complete(stage, r))


def _rating(person: PersonRecord, n: int) -> str:
    """From what the person reached: 5 for nearly all of it or more, down to 2."""
    reach = reach_of(person, n)
    return "5" if reach > _GOOD else "4" if reach > _FAIR else "3" if n else "2"


def _form(person: PersonRecord) -> list[dict[str, Any]]:
    return [
        {"section": "goals", "item": "first-goal", "rating": _rating(person, 0)},
        {"section": "goals", "item": "second-goal", "rating": _rating(person, 1)},
        {"section": "competencies", "item": "collaboration", "rating": "4"},
        {"section": "competencies", "item": "judgement", "rating": _rating(person, 1)},
    ]


async def _step(stage: Stage, who: Actor, review: Review, step: str, body: Mapping[str, Any] | None = None) -> None:
    await stage.client.post(who, f"/reviews/v1/reviews/{review.id}/{step}", body or {})


def _assessor(stage: Stage, r: Review) -> Actor:
    return manager(r.manager) if r.manager else hr(stage.company.hr_for(r.person.person))


def _approver(stage: Stage, r: Review) -> Actor:
    above = stage.company.manager_of(r.manager) if r.manager else None
    return manager(above) if above else hr(stage.company.hr_for(r.person.person, _assessor(stage, r).person))


async def _self_assess(stage: Stage, r: Review) -> None:
    form = {"ratings": _form(r.person), "comment": "A good year."}
    await _step(stage, employee(r.person), r, "self-assessment", form)


async def _assess(stage: Stage, r: Review) -> None:
    """The self-assessment opened it; the goals service answers with the frozen goals, a moment later."""
    form = {"ratings": _form(r.person), "comment": "I agree."}
    while True:
        try:
            return await _step(stage, _assessor(stage, r), r, "manager-assessment", form)
        except Refused as refused:
            if refused.problem.get("rule") != "evidence-must-be-frozen-first":
                raise
            await asyncio.sleep(0.2)


async def _approve(stage: Stage, r: Review) -> None:
    await _step(stage, _approver(stage, r), r, "approve")


async def _release(stage: Stage, r: Review) -> None:
    await _step(stage, _assessor(stage, r), r, "release")


async def _acknowledge(stage: Stage, r: Review) -> None:
    await _step(stage, employee(r.person), r, "acknowledge", {"comment": "Thank you."})


async def _complete(stage: Stage, r: Review) -> None:
    await _step(stage, hr(stage.company.hr_for(r.person.person)), r, "complete")
