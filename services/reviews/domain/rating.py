"""The ratings of one form: each of a section that the policy knows, once, within the scale or not rated."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from services.reviews.domain.policy import Code, ScaleNumber
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.reviews import CyclePolicy, ItemRating
from shared.schemas.values import DecimalString


class RatingBody(RequestBody):
    """One line of the form; a rating of null says that it cannot be rated, which is never zero."""

    section: Code = Field(examples=["goals"])
    item: Code = Field(examples=["delivery"], description="A competency's code or a goal's id.")
    weight: Annotated[DecimalString, Field(ge=0, le=1000, decimal_places=4)] = Field(default=Decimal(1), examples=["1"])
    rating: ScaleNumber | None = Field(examples=["4"])


Form = Annotated[tuple[RatingBody, ...], Field(max_length=200)]


def filled_in(form: Sequence[RatingBody], policy: CyclePolicy) -> tuple[ItemRating, ...]:
    """The ratings as the event carries them.

    Raises:
        Rejected: section-is-not-in-the-policy, rating-is-outside-the-scale, item-is-rated-twice.
    """
    sections = {section.name for section in policy.sections}
    seen: set[tuple[str, str]] = set()
    for line in form:
        _check(line, policy, sections)
        if (line.section, line.item) in seen:
            raise Rejected("item-is-rated-twice", section=line.section, item=line.item)
        seen.add((line.section, line.item))
    return tuple(ItemRating.model_validate(line.model_dump()) for line in form)


def _check(line: RatingBody, policy: CyclePolicy, sections: set[str]) -> None:
    if line.section not in sections:
        raise Rejected("section-is-not-in-the-policy", section=line.section, policy=policy.version)
    if line.rating is not None and not policy.scale_minimum <= line.rating <= policy.scale_maximum:
        raise Rejected(
            "rating-is-outside-the-scale",
            section=line.section,
            item=line.item,
            rating=line.rating,
            minimum=policy.scale_minimum,
            maximum=policy.scale_maximum,
        )
