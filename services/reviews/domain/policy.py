"""A cycle's policy as HR writes it: scale, sections and weights, coverage and levels, and the rules they keep."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.reviews import CyclePolicy
from shared.schemas.values import DecimalString, Zone

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""A name that is never free text: lower case letters, digits, dot, underscore and hyphen."""
ScaleNumber = Annotated[DecimalString, Field(ge=-1000, le=1000, decimal_places=4)]
Percentage = Annotated[DecimalString, Field(ge=0, le=100, decimal_places=4)]

WHOLE: Final = Decimal(100)


class SectionBody(RequestBody):
    """A section of the form and its weight in the overall score."""

    name: Code = Field(examples=["goals"])
    weight: Percentage = Field(examples=["60"])


class LevelBody(RequestBody):
    """A named level and the lowest overall score that reaches it."""

    name: Code = Field(examples=["exceeds-expectations"])
    minimum: ScaleNumber = Field(examples=["4.00"])


class DeadlinesBody(RequestBody):
    """The last day on which each step is in time, by the zone's calendar; who has not taken it is reminded then."""

    self_assessment: date | None = Field(default=None, examples=["2026-11-15"])
    manager_assessment: date | None = Field(default=None, examples=["2026-11-30"])
    zone: Zone = Field(examples=["Europe/Berlin"])


class PolicyBody(RequestBody):
    """The rules of a cycle, with the version they are known by."""

    version: Code = Field(examples=["enterprise-1"])
    scale_minimum: ScaleNumber = Field(default=Decimal(1), examples=["1"])
    scale_maximum: ScaleNumber = Field(default=Decimal(5), examples=["5"])
    sections: tuple[SectionBody, ...] = Field(min_length=1, max_length=50)
    minimum_coverage: Percentage = Field(default=Decimal(60), examples=["60"])
    self_weight: Annotated[DecimalString, Field(ge=0, le=1, decimal_places=4)] = Field(
        default=Decimal(0), examples=["0"], description="What a self rating weighs beside the manager's 1."
    )
    levels: tuple[LevelBody, ...] = Field(default=(), max_length=50)
    deadlines: DeadlinesBody | None = None


def settled(policy: PolicyBody) -> CyclePolicy:
    """The policy as the cycle's event carries it.

    Raises:
        Rejected: scale-is-empty, sections-share-a-name, section-weights-must-total-100, levels-share-a-name,
            levels-must-ascend, level-is-outside-the-scale, self-assessment-is-due-after-the-managers.
    """
    if policy.scale_minimum >= policy.scale_maximum:
        raise Rejected("scale-is-empty", minimum=policy.scale_minimum, maximum=policy.scale_maximum)
    _check_sections(policy.sections)
    _check_levels(policy)
    _check_deadlines(policy.deadlines)
    return CyclePolicy.model_validate(policy.model_dump())


def _check_sections(sections: tuple[SectionBody, ...]) -> None:
    _check_distinct("sections-share-a-name", [section.name for section in sections])
    total = sum((section.weight for section in sections), Decimal(0))
    if total != WHOLE:
        raise Rejected("section-weights-must-total-100", total=total, limit=WHOLE)


def _check_levels(policy: PolicyBody) -> None:
    _check_distinct("levels-share-a-name", [level.name for level in policy.levels])
    for level in policy.levels:
        if not policy.scale_minimum <= level.minimum <= policy.scale_maximum:
            raise Rejected("level-is-outside-the-scale", level=level.name, minimum=level.minimum)
    for lower, higher in pairwise(policy.levels):
        if lower.minimum >= higher.minimum:
            raise Rejected("levels-must-ascend", lower=lower.name, higher=higher.name)


def _check_deadlines(deadlines: DeadlinesBody | None) -> None:
    if deadlines is None or deadlines.self_assessment is None or deadlines.manager_assessment is None:
        return
    if deadlines.self_assessment > deadlines.manager_assessment:
        raise Rejected(
            "self-assessment-is-due-after-the-managers",
            self_assessment=deadlines.self_assessment,
            manager_assessment=deadlines.manager_assessment,
        )


def _check_distinct(rule: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Rejected(rule, name=name)
        seen.add(name)
