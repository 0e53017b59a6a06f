"""Processes forked from a loaded one are as much by themselves as those with an interpreter of their own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from launcher import health
from launcher.preloaded import preloaded
from launcher.process import Interpreters, Starter, free_port, wait_until
from shared.eventsourcing.identifiers import uuid7


@pytest.fixture(scope="module")
def folder(server_folder: Path) -> Path:
    made = server_folder / f"preloaded-{uuid7().hex}"
    made.mkdir()
    return made


@pytest.fixture(scope="module", params=["forked", "interpreters"])
def starter(request: pytest.FixtureRequest, folder: Path) -> Iterator[Starter]:
    if request.param == "interpreters":
        yield Interpreters()
        return
    with preloaded(folder, folder / "start.log") as forks:
        yield forks


def test_a_started_process_is_the_leader_of_its_session_and_shows_its_command(starter: Starter, folder: Path) -> None:
    port = free_port()
    settings = {"TRELLIS_HTTP_PORT": str(port)}
    log = folder / "answering.log"
    process = starter.start(("tests.servers.answering", "one"), log=log, environment=settings, folder=folder)
    try:
        wait_until(lambda: health.ask(port, "/").ok, process=process, name="one", log=log, within=20)
        command = [word for word in psutil.Process(process.pid).cmdline() if word]
        assert command == [sys.executable, "-m", "tests.servers.answering", "one"]
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
        assert psutil.Process(process.pid).cwd() == str(folder)
    finally:
        process.stop()
    assert not process.alive()


def test_a_job_answers_how_it_ended_and_logs_what_it_said(starter: Starter, folder: Path) -> None:
    log = folder / "job.log"
    job = ("tests.servers.docker_images", "no-such-image")
    code = starter.run(job, log=log, environment={"DOCKER_HOST": "unix:///nowhere"}, folder=folder)
    assert code == 1
    assert "no Docker engine answers" in log.read_text()


def test_processes_outlive_the_one_that_started_them(folder: Path) -> None:
    port = free_port()
    log = folder / "outliving.log"
    with preloaded(folder, folder / "start.log") as starter:
        process = starter.start(
            ("tests.servers.answering",), log=log, environment={"TRELLIS_HTTP_PORT": str(port)}, folder=folder
        )
    try:
        wait_until(lambda: health.ask(port, "/").ok, process=process, name="it", log=log, within=20)
    finally:
        process.stop()


def test_a_module_that_does_not_exist_says_so_in_its_own_log(starter: Starter, folder: Path) -> None:
    log = folder / "missing.log"
    assert starter.run(("tests.servers.no_such_module",), log=log, environment={}, folder=folder) == 1
    assert "tests.servers.no_such_module" in log.read_text()
