"""Free text about a person as events carry it: in clear only in memory, as ciphertext everywhere else."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_serializer
from pydantic_core import PydanticSerializationError
from typing_extensions import TypedDict

from shared.schemas.identifiers import PersonId


class SealedText(TypedDict):
    """Personal text as it is stored and published."""

    person: Annotated[PersonId, Field(description="Whom the text speaks of: erasing them makes it unreadable.")]
    key: Annotated[str, Field(description="Id of the person's data key, which the service has and nobody else.")]
    ciphertext: Annotated[str, Field(description="base64 of nonce (12 bytes) and AES-256-GCM ciphertext.")]
    bound_to: Annotated[str, Field(description="<event id>/<field name>, the additional authenticated data.")]


class PersonalText(BaseModel):
    """Text that speaks of one person, encrypted with that person's key before it is appended.

    `bound_to` is the additional authenticated data: the event's id and the field's name, so that a ciphertext moved
    to another event or field does not open. Until it is sealed the text is in `clear` and refuses to be serialised.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    person: PersonId
    key: str = Field(default="", description="Id of the person's data key.")
    ciphertext: str = Field(default="", description="base64 of nonce (12 bytes) and AES-256-GCM ciphertext.")
    bound_to: str = Field(default="", description="<event id>/<field name>, the additional authenticated data.")
    clear: str | None = Field(default=None, exclude=True, repr=False)

    @classmethod
    def about(cls, person: PersonId, text: str) -> Self:
        """Text in clear, to be sealed by the store before it is written."""
        return cls(person=person, clear=text)

    @property
    def sealed(self) -> bool:
        return self.ciphertext != ""

    @model_serializer(mode="plain")
    def _sealed_only(self) -> SealedText:
        if not self.sealed:
            raise PydanticSerializationError("personal text must be sealed before it is serialised")
        return {"person": self.person, "key": self.key, "ciphertext": self.ciphertext, "bound_to": self.bound_to}
