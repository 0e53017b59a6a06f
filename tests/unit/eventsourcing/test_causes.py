"""What is kept of a failure: enough to mend the code, and nothing of what people are called or wrote."""

import json

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import IntegrityError

from shared.eventsourcing.causes import Cause, cause_of
from shared.eventsourcing.errors import WaitingFor

PERSON = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
RECORD = json.dumps({"name": "Åsa Lind-Öberg", "person": PERSON, "salary": "4711.00", "notes": ["Too shy"]}).encode()


def fail(error: Exception) -> None:
    who = "Åsa, as a local variable"
    if who:
        raise error


def caught(error: Exception) -> Exception:
    """The exception with the frames of having been raised."""
    with pytest.raises(type(error)) as failure:
        fail(error)
    return failure.value


def cause(error: Exception) -> Cause:
    return cause_of(caught(error), RECORD)


def test_the_exceptions_name_its_message_and_its_frames_are_told() -> None:
    told = cause(LookupError("no program for the cycle"))
    assert (told.error, told.message) == ("LookupError", "no program for the cycle")
    assert "in fail" in told.trace
    assert "raise error" in told.trace
    assert "Åsa" not in told.trace


@pytest.mark.parametrize(
    "message", ["'Åsa Lind-Öberg' is no name", "lind-öberg is too long", "what of ÅSA?", "somebody said: too shy"]
)
def test_no_word_of_the_record_is_repeated(message: str) -> None:
    told = cause(ValueError(message))
    for word in ("åsa", "lind", "öberg", "shy"):
        assert word not in (told.message + told.trace.rpartition("ValueError")[2]).lower()


def test_ids_and_numbers_are_told_since_they_lead_to_the_fault() -> None:
    assert cause(KeyError(PERSON)).message == f"'{PERSON}'"
    assert cause(ValueError("4711.00 is below the range")).message == "4711.00 is below the range"


def test_a_record_that_is_not_json_is_not_repeated_either() -> None:
    assert cause_of(caught(ValueError("what is Åsa?")), "Åsa, plainly".encode()).message == "what is […]?"


def test_a_validation_names_fields_and_not_what_they_hold() -> None:
    class Person(BaseModel):
        name: int
        person: str

    with pytest.raises(ValidationError) as failure:
        Person.model_validate_json(RECORD)
    told = cause_of(failure.value, RECORD)
    assert told.message == "name: int_parsing"
    assert "Åsa" not in told.trace


def test_a_database_names_its_constraint_and_not_the_row() -> None:
    class NameTaken(asyncpg.UniqueViolationError):
        constraint_name = "people_by_name"  # as the driver fills it in

    refused = NameTaken("duplicate key value: Key (name)=(Åsa) already exists.")
    told = cause(IntegrityError("insert into people values ('Åsa')", {"name": "Åsa"}, refused))
    assert told.message == "NameTaken (sqlstate 23505, constraint people_by_name)"
    assert "Åsa" not in told.trace


def test_what_led_to_the_exception_is_told_before_it() -> None:
    try:
        try:
            raise KeyError("first")  # noqa: TRY301 - to be the context
        except KeyError as first:
            raise RuntimeError("second") from first
    except RuntimeError as second:
        trace = cause_of(second, None).trace
    assert trace.index("KeyError: 'first'") < trace.index("led to this one") < trace.index("RuntimeError: second")


def test_a_missing_fact_is_named() -> None:
    told = cause(WaitingFor("person:7"))
    assert (told.waiting_for, told.message, told.trace) == ("person:7", "waiting-for:person:7", "")


def test_what_the_database_cannot_hold_is_written_out() -> None:
    assert cause(ValueError("a NUL: \x00, a surrogate: \ud800")).message == "a NUL: \\x00, a surrogate: \\ud800"
