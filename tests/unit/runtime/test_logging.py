"""Logs: one JSON object a line with the context bound around it, and nothing that people wrote."""

import json
import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.eventsourcing.decision import Context
from shared.eventsourcing.line_ids import working_on
from shared.runtime.logging import configure_logging, log_context, logger
from shared.schemas.identifiers import SYSTEM


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_carries_the_service_and_the_context(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(service="goals", role="api")
    with log_context(correlation_id="c-1"):
        logger("shared.relay").info("relay leads", epoch=3)
    logger("shared.relay").info("relay rests")
    first, second = lines(capsys)
    assert first["event"] == "relay leads"
    assert first["epoch"] == 3
    assert (first["service"], first["role"], first["correlation_id"]) == ("goals", "api", "c-1")
    assert (first["logger"], first["level"]) == ("shared.relay", "info")
    assert first["timestamp"].endswith("Z")
    assert "correlation_id" not in second


def test_a_line_carries_the_ids_of_the_command_that_is_worked_on(capsys: pytest.CaptureFixture[str]) -> None:
    """And what the line says itself comes first."""
    configure_logging(service="goals")
    command = Context(
        actor=SYSTEM, at=datetime(2026, 3, 2, tzinfo=UTC), command_id=UUID(int=1), correlation_id=UUID(int=2)
    )
    with working_on(command, "goal-1"):
        logger("shared.handler").info("decided")
        logger("shared.handler").info("looked", stream="goal-2")
    logger("shared.handler").info("rests")
    first, second, third = lines(capsys)
    assert (first["command_id"], first["correlation_id"]) == (str(UUID(int=1)), str(UUID(int=2)))
    assert (first["stream"], second["stream"]) == ("goal-1", "goal-2")
    assert {"command_id", "stream"} & third.keys() == set()


def test_the_standard_librarys_loggers_come_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(service="goals")
    with log_context(correlation_id="c-2"):
        logging.getLogger("uvicorn.error").warning("took %d ms", 40)
    (line,) = lines(capsys)
    assert (line["event"], line["correlation_id"], line["service"]) == ("took 40 ms", "c-2", "goals")


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(service="goals", level="WARNING")
    logger("quiet").info("nothing")
    logging.getLogger("httpx").info("GET /")
    assert lines(capsys) == []


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_traceback_shows_no_local_variables(log_format: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(service="feedback", log_format=log_format)
    written_by_a_person = "she " + "missed the deadline"
    try:
        {}["broken"]
    except KeyError:
        logger("failing").exception("failed", size=len(written_by_a_person))
    shown = capsys.readouterr().err
    assert "broken" in shown
    assert written_by_a_person not in shown
