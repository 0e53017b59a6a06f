"""Objectives and their key results, as events carry them: what an objective is for, and its grade."""

from typing import ClassVar, Final

from pydantic import Field

from shared.schemas.event import Event
from shared.schemas.personal_text import PersonalText
from shared.schemas.units import Ratio
from shared.schemas.values import LongText, OpenEnum


class Commitment(OpenEnum):
    """What reaching an objective means: what was promised, or a stretch that nobody counts on."""

    COMMITTED = "committed"
    ASPIRATIONAL = "aspirational"


class ScoreBand(OpenEnum):
    """From 0.70 on green, from 0.40 on yellow, below that red."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class ObjectiveGraded(Event):
    """A person graded the objective when closing it, with a comment; about a person's objective that is personal text.

    `score` is the weighted mean of its key results as it was shown, null where none was measured; 0.00 to 1.00.
    `band` is the grade's.
    """

    event_type: ClassVar[str] = "trellis.goals.ObjectiveGraded.v1"

    commitment: Commitment = Field(description="What reaching the objective means.")
    score: Ratio | None = Field(description="0.00 to 1.00, of its key results; null: none.", examples=["0.65"])
    grade: Ratio = Field(description="0.00 to 1.00: what the person gave it.", examples=["0.70"])
    band: ScoreBand = Field(description="The grade's: green from 0.70, yellow from 0.40, below that red.")
    comment: PersonalText | LongText = Field(description="Why, in words: ciphertext about a person's objective.")


EVENTS: Final[tuple[type[Event], ...]] = (ObjectiveGraded,)
