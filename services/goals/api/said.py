"""What events say, with their personal texts opened: `erased` where the person that one speaks of was erased."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.privacy.places import personal_texts
from shared.privacy.vault import Vault
from shared.schemas.event import Event
from shared.schemas.personal_text import PersonalText


async def opened(vault: Vault, events: Iterable[Event], further: Iterable[PersonalText] = ()) -> dict[str, str]:
    """Every personal text by the place that it is bound to, all opened at once."""
    said = [text for event in events for text in personal_texts(event).values()]
    sealed = {text.bound_to: text for text in (*further, *said)}
    return dict(zip(sealed, await vault.open(list(sealed.values())), strict=True))


def said_by(event: Event, texts: Mapping[str, str]) -> Mapping[str, Any]:
    """The event's data, its texts in clear."""
    return in_clear(event.model_dump(mode="json"), texts)


def in_clear(said: Any, texts: Mapping[str, str]) -> Any:
    match said:
        case {"ciphertext": _, "bound_to": place}:
            return str(texts[place])
        case dict():
            return {name: in_clear(value, texts) for name, value in said.items()}
        case list():
            return [in_clear(value, texts) for value in said]
        case _:
            return said
