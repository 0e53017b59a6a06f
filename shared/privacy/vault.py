"""The vault: seals personal text before it is appended, opens it for those who may read it, erases a person's."""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.privacy.errors import TextDoesNotOpen
from shared.privacy.keys import NONCE_BYTES, DataKey, DataKeys
from shared.privacy.places import may_hold_personal_text, personal_texts, place, rewritten
from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId
from shared.schemas.personal_text import PersonalText


class Erased(StrEnum):
    """What stands where a text of an erased person was; `is ERASED` tells it from a text that says so."""

    ERASED = "erased"


ERASED: Final = Erased.ERASED


class Vault:
    """The personal texts of one service."""

    def __init__(self, engine: AsyncEngine, master_key: bytes, other: bytes | None = None) -> None:
        self._keys = DataKeys(engine, master_key, other)

    async def seal(self, event: Event, event_id: UUID) -> Event:
        """The event with every personal text encrypted for its person and bound to this event and its field.

        Raises:
            PersonErased: a text speaks of a person who was erased.
            ValueError: a text was sealed before, for another place, or holds nothing.
        """
        if not may_hold_personal_text(type(event)):
            return event
        texts = personal_texts(event)
        if not texts:
            return event
        keys = await self._keys.for_writing(personal.person for personal in texts.values())
        return rewritten(event, lambda path, personal: _sealed(personal, keys[personal.person], place(event_id, path)))

    async def open(self, texts: Sequence[PersonalText]) -> list[str | Erased]:
        """The texts in clear, in the order given; ERASED where the person was erased.

        Raises:
            TextDoesNotOpen: one was altered or moved to another place, or its key is not here.
        """
        if not texts:
            return []
        keys = await self._keys.of(personal.person for personal in texts)
        return [_opened(personal, keys) for personal in texts]

    async def clear(self, text: PersonalText | str | None) -> str | None:
        """A text that may be sealed, in clear; None where there is none, or its person was erased."""
        if not isinstance(text, PersonalText):
            return text
        opened = (await self.open([text]))[0]
        return None if opened is ERASED else opened

    async def erase(self, person: PersonId) -> None:
        """Delete the person's key: whatever was written about them, wherever it lies, opens no more."""
        await self._keys.erase(person)


def _sealed(personal: PersonalText, key: DataKey, bound_to: str) -> PersonalText:
    if personal.clear is None:
        raise ValueError(f"the personal text for {bound_to} is not in clear; a sealed text cannot be written again")
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = key.cipher.encrypt(nonce, personal.clear.encode(), bound_to.encode())
    return PersonalText(
        person=personal.person,
        key=key.key_id,
        ciphertext=base64.b64encode(nonce + ciphertext).decode(),
        bound_to=bound_to,
    )


def _opened(personal: PersonalText, keys: Mapping[PersonId, DataKey | None]) -> str | Erased:
    if personal.person not in keys:
        raise TextDoesNotOpen(personal.bound_to, "there is no key for its person")
    key = keys[personal.person]
    if key is None:
        return ERASED
    if key.key_id != personal.key:
        raise TextDoesNotOpen(personal.bound_to, "its person has another key")
    try:
        sealed = base64.b64decode(personal.ciphertext, validate=True)
        return key.cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], personal.bound_to.encode()).decode()
    except (binascii.Error, InvalidTag, ValueError) as error:
        raise TextDoesNotOpen(personal.bound_to, "it was altered or moved") from error
