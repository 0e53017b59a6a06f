"""The published language of the goals service: the policy that its decisions are made under."""

from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import Field, JsonValue

from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId
from shared.schemas.values import OpenEnum, ShortText


class Preset(OpenEnum):
    """A policy for a kind of company, to start from."""

    STARTUP = "startup"
    FAMILY = "family"
    ENTERPRISE = "enterprise"
    SCHOOL = "school"


class GoalPolicyAdopted(Event):
    """The company chose how it sets goals from now on. `options` are all that were known then, each with its value.

    `version` is what the events decided under it name as their policy version; `reason` is a code.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalPolicyAdopted.v1"

    version: ShortText = Field(description="What the events decided under it name in `ce_policyversion`.")
    preset: Preset | None = Field(description="What the policy was started from; null: from none.")
    options: Mapping[str, JsonValue] = Field(
        description="Every option that was known then, with its value, chosen or not."
    )
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")
    adopted_by: PersonId = Field(description="Who chose it for the company.")


EVENTS: Final[tuple[type[Event], ...]] = (GoalPolicyAdopted,)
