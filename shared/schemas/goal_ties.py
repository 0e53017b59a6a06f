"""What ties a goal to people, to other goals and to the period after its own."""

from typing import ClassVar, Final
from uuid import UUID

from pydantic import Field

from shared.schemas.event import Event
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import LongText, ShortText


class GoalContributionAdded(Event):
    """The goal contributes to another one besides its parent: shown there, never summed there."""

    event_type: ClassVar[str] = "trellis.goals.GoalContributionAdded.v1"

    to: GoalId = Field(description="The goal that it contributes to.")


class GoalContributionRemoved(Event):
    """The goal does not contribute to the other one any more."""

    event_type: ClassVar[str] = "trellis.goals.GoalContributionRemoved.v1"

    to: GoalId = Field(description="The goal that it contributes to no more.")


class GoalContributorAdded(Event):
    """A person works on the goal with its owner."""

    event_type: ClassVar[str] = "trellis.goals.GoalContributorAdded.v1"

    person: PersonId = Field(description="Who works on the goal with its owner from now on.")


class GoalContributorRemoved(Event):
    """The person does not work on the goal any more."""

    event_type: ClassVar[str] = "trellis.goals.GoalContributorRemoved.v1"

    person: PersonId = Field(description="Who works on it no more.")


class GoalHandedOver(Event):
    """The goal has another owner. A person's goal has its texts written anew, so that the new owner's key opens them.

    What was said before (notes, comments) stays the former owner's. `reason` is a code and speaks of no person.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalHandedOver.v1"

    owner: PersonId = Field(description="Who owns the goal from now on.")
    previous_owner: PersonId = Field(description="Who owned it before.")
    team: ShortText | None = Field(description="The team that the goal belongs to from now on; null: none.")
    title: PersonalText | ShortText = Field(
        description="The title anew: of a person's goal sealed with the new owner's key."
    )
    description: PersonalText | LongText | None = Field(
        description="The description anew, likewise; null: there is none."
    )
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")
    amendment: UUID | None = Field(
        default=None, description="The agreed change that this is part of; null where none was needed."
    )


class GoalCarriedOver(Event):
    """The goal goes on in another period as the goal `to`, which names this one as the one it was carried from."""

    event_type: ClassVar[str] = "trellis.goals.GoalCarriedOver.v1"

    to: GoalId = Field(description="The goal of the next period, which names this one in `carried_from`.")


EVENTS: Final[tuple[type[Event], ...]] = (
    GoalContributionAdded,
    GoalContributionRemoved,
    GoalContributorAdded,
    GoalContributorRemoved,
    GoalHandedOver,
    GoalCarriedOver,
)
