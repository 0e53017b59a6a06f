"""The published language of the goals service: the policy that its decisions are made under."""

from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import JsonValue

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

    version: ShortText
    preset: Preset | None
    options: Mapping[str, JsonValue]
    reason: ShortText
    adopted_by: PersonId


EVENTS: Final[tuple[type[Event], ...]] = (GoalPolicyAdopted,)
