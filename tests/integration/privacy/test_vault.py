"""The vault: what is sealed opens for its own place alone, and for nobody once the person is erased."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.eventsourcing.identifiers import uuid7
from shared.privacy.errors import PersonErased, TextDoesNotOpen, WrongMasterKey
from shared.privacy.keys import DataKeys, create_key_tables, data_keys
from shared.privacy.places import may_hold_personal_text, personal_texts, verify_places
from shared.privacy.vault import ERASED, Vault
from shared.schemas.event import Event, EventTypes, encode
from shared.schemas.identifiers import PersonId
from shared.schemas.personal_text import PersonalText
from tests.servers.databases import Database

MASTER_KEY = bytes(range(32))
ANN, BEN = PersonId(uuid7()), PersonId(uuid7())


class Section(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    comment: PersonalText | None = None


class RemarkMade(Event):
    event_type: ClassVar[str] = "trellis.tests.RemarkMade.v1"

    text: PersonalText | None = None
    sections: tuple[Section, ...] = ()
    by_topic: dict[str, PersonalText] = Field(default_factory=dict[str, PersonalText])


class CountKept(Event):
    event_type: ClassVar[str] = "trellis.tests.CountKept.v1"

    count: int = 0
    named: tuple[str, ...] = ()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database.url)
    async with engine.begin() as connection:
        await connection.run_sync(create_key_tables)
        await connection.run_sync(create_key_tables)
    yield engine
    await engine.dispose()


@pytest.fixture
def vault(engine: AsyncEngine) -> Vault:
    return Vault(engine, MASTER_KEY)


async def sealed(vault: Vault, words: str = "She leads well.", person: PersonId = ANN) -> PersonalText:
    event = await vault.seal(RemarkMade(text=PersonalText.about(person, words)), uuid7())
    return personal_texts(event)["text"]


async def test_what_is_sealed_opens_and_shows_nothing_meanwhile(vault: Vault) -> None:
    event_id = uuid7()
    event = RemarkMade(
        text=PersonalText.about(ANN, "She leads well."),
        sections=(Section(name="a"), Section(name="b", comment=PersonalText.about(BEN, "Ben waits."))),
        by_topic={"goals": PersonalText.about(ANN, "Ambitious.")},
    )
    stored = encode(await vault.seal(event, event_id))
    for words in ("leads", "waits", "Ambitious"):
        assert words not in stored
    read = EventTypes.of([RemarkMade]).decode(RemarkMade.event_type, stored)
    assert isinstance(read, RemarkMade)
    texts = personal_texts(read)
    assert [t.bound_to for t in texts.values()] == [
        f"{event_id}/text",
        f"{event_id}/sections.1.comment",
        f"{event_id}/by_topic.goals",
    ]
    assert await vault.open(list(texts.values())) == ["She leads well.", "Ben waits.", "Ambitious."]
    verify_places(read, event_id)


async def test_an_event_without_personal_text_is_left_as_it_is() -> None:
    assert not may_hold_personal_text(CountKept)
    assert may_hold_personal_text(RemarkMade)
    nowhere = Vault(create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:9/none"), MASTER_KEY)
    event = CountKept(count=3)
    assert await nowhere.seal(event, uuid7()) is event
    assert await nowhere.seal(RemarkMade(), uuid7()) == RemarkMade()
    assert await nowhere.open([]) == []


async def test_who_is_erased_can_neither_be_read_nor_written_about(vault: Vault) -> None:
    about_ann, about_ben = await sealed(vault), await sealed(vault, person=BEN)
    await vault.erase(ANN)
    opened = await vault.open([about_ann, about_ben, about_ann])
    assert opened == [ERASED, "She leads well.", ERASED]
    assert opened[0] is ERASED
    with pytest.raises(PersonErased):
        await sealed(vault)


async def test_erasing_takes_effect_in_every_process_at_once(engine: AsyncEngine, vault: Vault) -> None:
    elsewhere = Vault(engine, MASTER_KEY)
    written = await sealed(vault)
    assert await elsewhere.open([written]) == ["She leads well."]
    await vault.erase(ANN)
    assert await elsewhere.open([written]) == [ERASED]
    with pytest.raises(PersonErased):
        await sealed(elsewhere)


async def test_erasing_twice_or_before_anything_was_written_holds_too(engine: AsyncEngine, vault: Vault) -> None:
    await vault.erase(ANN)
    async with engine.connect() as connection:
        first = (await connection.execute(select(data_keys))).one()
    await vault.erase(ANN)
    async with engine.connect() as connection:
        assert (await connection.execute(select(data_keys))).one() == first
    assert first.wrapped is None
    with pytest.raises(PersonErased):
        await sealed(vault)


async def test_two_processes_that_create_a_key_at_once_create_one(engine: AsyncEngine) -> None:
    vaults = [Vault(engine, MASTER_KEY) for _ in range(8)]
    for _ in range(5):
        person = PersonId(uuid7())
        written = await asyncio.gather(*(sealed(vault, person=person) for vault in vaults))
        assert len({personal.key for personal in written}) == 1
        assert await vaults[0].open(written) == ["She leads well."] * 8


async def test_creating_and_erasing_at_once_leaves_no_key(engine: AsyncEngine) -> None:
    vault = Vault(engine, MASTER_KEY)
    for _ in range(10):
        person = PersonId(uuid7())
        outcome, _ = await asyncio.gather(sealed(vault, person=person), vault.erase(person), return_exceptions=True)
        assert isinstance(outcome, PersonErased) or await vault.open([outcome]) == [ERASED]  # pyright: ignore[reportArgumentType]
        with pytest.raises(PersonErased):
            await sealed(vault, person=person)


@pytest.mark.parametrize("change", ["bound_to", "ciphertext", "person", "key", "cut", "no base64"])
async def test_what_was_altered_or_moved_does_not_open(vault: Vault, change: str) -> None:
    written, other, about_ben = await sealed(vault), await sealed(vault, "Other."), await sealed(vault, person=BEN)
    altered = {
        "bound_to": {"bound_to": other.bound_to},
        "ciphertext": {"ciphertext": other.ciphertext},
        "person": {"person": BEN},
        "key": {"key": about_ben.key},
        "cut": {"ciphertext": base64.b64encode(base64.b64decode(written.ciphertext)[:8]).decode()},
        "no base64": {"ciphertext": "§"},
    }[change]
    with pytest.raises(TextDoesNotOpen):
        await vault.open([other, written.model_copy(update=altered)])


async def test_a_text_moved_whole_into_another_event_is_noticed(vault: Vault) -> None:
    event_id = uuid7()
    event = await vault.seal(RemarkMade(text=PersonalText.about(ANN, "She leads well.")), event_id)
    verify_places(event, event_id)
    with pytest.raises(TextDoesNotOpen, match="it was written for"):
        verify_places(event, uuid7())
    with pytest.raises(TextDoesNotOpen, match="it was written for"):
        verify_places(RemarkMade(by_topic=personal_texts(event)), event_id)


async def test_a_sealed_text_is_not_written_a_second_time(vault: Vault) -> None:
    with pytest.raises(ValueError, match="cannot be written again"):
        await vault.seal(RemarkMade(text=await sealed(vault)), uuid7())


async def test_another_master_key_opens_nothing_and_says_why(engine: AsyncEngine, vault: Vault) -> None:
    written = await sealed(vault)
    with pytest.raises(WrongMasterKey):
        await Vault(engine, bytes(32)).open([written])
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(engine, b"short")


async def test_a_key_copied_into_another_persons_row_does_not_unwrap(engine: AsyncEngine, vault: Vault) -> None:
    await sealed(vault)
    written = await sealed(vault, person=BEN)
    async with engine.begin() as connection:
        copied = "update data_keys set wrapped = anns.wrapped from data_keys anns where anns.person = :ann"
        await connection.execute(text(copied), {"ann": ANN})
    with pytest.raises(WrongMasterKey):
        await vault.open([written])


async def test_the_database_holds_no_key_in_clear(engine: AsyncEngine, vault: Vault) -> None:
    await sealed(vault)
    async with engine.connect() as connection:
        row = (await connection.execute(select(data_keys))).one()
    assert len(row.wrapped) == 12 + 32 + 16
    assert row.created_at is not None


@given(words=st.text(min_size=1, max_size=50))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_text_opens_as_it_was_written(vault: Vault, words: str) -> None:
    assert await vault.open([await sealed(vault, words)]) == [words]


async def test_a_master_key_is_exchanged_while_both_are_known_and_every_text_opens_all_the_time(
    engine: AsyncEngine, vault: Vault
) -> None:
    new = bytes(reversed(range(32)))
    anns = await sealed(vault)
    await vault.erase(BEN)
    readers = [Vault(engine, MASTER_KEY, new), Vault(engine, new, MASTER_KEY)]
    for reader in readers:
        assert await reader.open([anns]) == ["She leads well."]
    carls = await sealed(readers[1], "He asks good questions.", PersonId(uuid7()))
    assert await readers[0].open([carls]) == ["He asks good questions."]
    assert await DataKeys(engine, new, MASTER_KEY).rewrap() == (1, 2)
    assert await DataKeys(engine, new, MASTER_KEY).rewrap() == (0, 2)
    assert await Vault(engine, new).open([anns, carls]) == ["She leads well.", "He asks good questions."]
    with pytest.raises(WrongMasterKey):
        await vault.open([anns])


async def test_a_rewrapping_that_meets_a_key_of_neither_changes_nothing(engine: AsyncEngine, vault: Vault) -> None:
    new, third = bytes(reversed(range(32))), bytes(32)
    anns = await sealed(vault)
    await sealed(Vault(engine, third), "Of another installation.", BEN)
    with pytest.raises(WrongMasterKey):
        await DataKeys(engine, new, MASTER_KEY).rewrap()
    assert await vault.open([anns]) == ["She leads well."]
