"""Data keys: one per person, wrapped by the master key, in a database that holds nothing else."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Connection, DateTime, LargeBinary, MetaData, Table, Text, Uuid, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.identifiers import uuid7
from shared.privacy.errors import PersonErased, WrongMasterKey
from shared.schemas.identifiers import PersonId

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32

data_keys: Final = Table(
    "data_keys",
    MetaData(),
    Column("person", Uuid, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("wrapped", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("erased_at", DateTime(timezone=True)),
)


def create_key_tables(connection: Connection) -> None:
    """Create the keys database's only table, unless it is there: for the migration job."""
    connection.execute(
        text(
            """create table if not exists data_keys (
                 person uuid primary key,
                 key_id text not null unique,
                 wrapped bytea,
                 created_at timestamptz not null default clock_timestamp(),
                 erased_at timestamptz,
                 constraint erased_means_no_key check ((wrapped is null) = (erased_at is not null)))"""
        )
    )


@dataclass(frozen=True, slots=True)
class DataKey:
    """A person's key, unwrapped."""

    key_id: str
    cipher: AESGCM


class DataKeys:
    """The keys as the database holds them at this moment: nothing is cached, so that erasing takes effect at once."""

    def __init__(self, engine: AsyncEngine, master_key: bytes, other: bytes | None = None) -> None:
        """`other`: a second master key that opens what it has wrapped, while the one is exchanged for the other."""
        for key in (master_key, other):
            if key is not None and len(key) != KEY_BYTES:
                raise ValueError(f"the master key must have {KEY_BYTES} bytes, not {len(key)}")
        self._engine = engine
        self._master = AESGCM(master_key)
        self._masters = (self._master, *([AESGCM(other)] if other else []))

    async def of(self, persons: Iterable[PersonId]) -> Mapping[PersonId, DataKey | None]:
        """The keys of those persons who ever had one, in one query; None of those who were erased.

        Raises:
            WrongMasterKey: a key does not unwrap.
        """
        asked = select(data_keys).where(data_keys.c.person.in_(sorted(set(persons))))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(asked)).all()
        return {row.person: self._unwrapped(row) for row in rows}

    async def for_writing(self, persons: Iterable[PersonId]) -> Mapping[PersonId, DataKey]:
        """The keys of all these persons; who has none gets one, and two processes at once give them the same one.

        Raises:
            PersonErased: one of them was erased.
        """
        wanted = set(persons)
        keys = await self.of(wanted)
        if missing := wanted - keys.keys():
            await self._create(missing)
            keys = await self.of(wanted)
        for person, key in keys.items():
            if key is None:
                raise PersonErased(person)
        return {person: key for person, key in keys.items() if key is not None}

    async def _create(self, persons: Iterable[PersonId]) -> None:
        """Write new keys; where another process was first, its key stays."""
        rows = [self._new(person) for person in sorted(persons)]
        async with self._engine.begin() as connection:
            await connection.execute(insert(data_keys).values(rows).on_conflict_do_nothing(index_elements=["person"]))

    def _new(self, person: PersonId) -> dict[str, Any]:
        key_id, key = str(uuid7()), AESGCM.generate_key(bit_length=KEY_BYTES * 8)
        return {"person": person, "key_id": key_id, "wrapped": self._wrapped(key, key_id, person)}

    def _unwrapped(self, row: Any) -> DataKey | None:
        if row.wrapped is None:
            return None
        for master in self._masters:
            if (key := _opened(row, master)) is not None:
                return DataKey(row.key_id, AESGCM(key))
        raise WrongMasterKey(row.key_id)

    async def rewrap(self) -> tuple[int, int]:
        """Wrap with the master key what the other one has wrapped; how many that were, and of how many.

        All in one transaction, so that a failure changes nothing. Whoever knows both keys reads and writes meanwhile.

        Raises:
            WrongMasterKey: neither of the two opens a key.
        """
        async with self._engine.begin() as connection:
            kept = select(data_keys).where(data_keys.c.wrapped.is_not(None)).order_by(data_keys.c.person)
            rows = (await connection.execute(kept.with_for_update())).all()
            old = [row for row in rows if _opened(row, self._master) is None]
            for row in old:
                wrapped = self._wrapped(self._of_another(row), row.key_id, row.person)
                changed = data_keys.update().where(data_keys.c.person == row.person)
                await connection.execute(changed.values(wrapped=wrapped))
        return len(old), len(rows)

    def _of_another(self, row: Any) -> bytes:
        for master in self._masters[1:]:
            if (key := _opened(row, master)) is not None:
                return key
        raise WrongMasterKey(row.key_id)

    def _wrapped(self, key: bytes, key_id: str, person: UUID) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, _context(key_id, person))

    async def erase(self, person: PersonId) -> None:
        """Delete the person's key for ever, or make sure that they never get one.

        The old row version goes with the table's next vacuum; backups of this database bound how long a key lives on.
        """
        erasing = insert(data_keys).values(person=person, key_id=str(uuid7()), erased_at=func.clock_timestamp())
        once = erasing.on_conflict_do_update(
            index_elements=["person"],
            set_={"wrapped": None, "erased_at": func.coalesce(data_keys.c.erased_at, erasing.excluded.erased_at)},
        )
        async with self._engine.begin() as connection:
            await connection.execute(once)


def _opened(row: Any, master: AESGCM) -> bytes | None:
    """The data key in clear; None where it was wrapped by another master key, or altered."""
    nonce, sealed = row.wrapped[:NONCE_BYTES], row.wrapped[NONCE_BYTES:]
    try:
        return master.decrypt(nonce, sealed, _context(row.key_id, row.person))
    except InvalidTag:
        return None


def _context(key_id: str, person: UUID) -> bytes:
    """What a wrapped key is bound to, so that it opens in no other row."""
    return f"{key_id}/{person}".encode()
