"""What the `trellis` command says when something is in its way: what it is, and what to do about it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from launcher.state import State
from shared.eventsourcing.identifiers import uuid7
from tests.e2e.trellis import Trellis
from tests.servers.databases import Postgres


@pytest.fixture
async def trellis(server_folder: Path) -> AsyncIterator[Trellis]:
    command = Trellis(server_folder / f"state-{uuid7().hex}")
    yield command
    await command.down("--erase")


def one_line(text: str) -> str:
    return " ".join(text.split())


async def test_before_the_first_start_there_is_nothing_to_show_or_stop(trellis: Trellis) -> None:
    shown = await trellis.run("status")
    assert shown.code == 1
    assert "Nothing was ever started" in shown.output
    assert "Start it: `trellis up`" in shown.output
    assert "Nothing was ever started" in await trellis.down()
    asked = await trellis.run("reconcile")
    assert asked.code == 1
    assert "was never started" in asked.output
    assert not trellis.folder.exists()


async def test_a_port_in_use_is_named_with_the_way_out(trellis: Trellis, postgres: Postgres) -> None:
    taken = postgres.dsn("postgres").rpartition(":")[2].partition("/")[0]
    refused = await trellis.run("up", "--postgres-port", taken)
    assert refused.code == 1
    assert f"Port {taken}, wanted for PostgreSQL, is in use by another program." in one_line(refused.output)
    assert "leave --postgres-port out and a free port is taken" in one_line(refused.output)


async def test_a_misspelt_broker_is_named_with_what_there_is(trellis: Trellis) -> None:
    refused = await trellis.run("up", "--kafka", "apahce")
    assert refused.code == 1
    assert "'apahce' is no broker: write embedded, apache, or HOST:PORT." in one_line(refused.output)


async def test_a_second_up_at_the_same_time_is_turned_away(trellis: Trellis) -> None:
    state = State(trellis.folder)
    state.create()
    with state.lock():
        refused = await trellis.run("up")
        assert refused.code == 1
        assert "Wait until it has ended, then try again." in one_line(refused.output)


async def test_a_data_folder_of_another_version_is_named_with_the_way_out(trellis: Trellis) -> None:
    data = trellis.folder / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    refused = await trellis.run("up")
    assert refused.code == 1
    assert "belongs to PostgreSQL 16; this is PostgreSQL 18" in one_line(refused.output)


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = await Trellis(tmp_path / "file" / "state").run("up")
    assert refused.code == 1
    assert "Take another folder with --folder." in one_line(refused.output)


async def test_a_misspelt_command_is_answered_with_the_right_one(trellis: Trellis) -> None:
    refused = await trellis.run("stauts")
    assert refused.code == 2
    assert "Did you mean 'status'?" in one_line(refused.output)
