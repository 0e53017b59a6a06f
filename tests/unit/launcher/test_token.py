"""`trellis token`: a token for a person by id or employee number, and clear words where that cannot be."""

from datetime import date
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from typer.testing import CliRunner

from launcher.failure import LaunchFailed
from launcher.issuer.signing_keys import SigningKeys
from launcher.people_import import last_import
from launcher.people_import.roster import Roster
from launcher.state import State
from launcher.token import app, person_named
from shared.eventsourcing.identifiers import uuid7
from shared.schemas.identifiers import PersonId
from shared.schemas.people import EmploymentStatus, PersonRecord

ANN = PersonId(uuid7())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    State(tmp_path).create()
    return tmp_path


def claims_of(folder: Path, *arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(app, ["--folder", str(folder), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    keys = KeySet.import_key_set(SigningKeys(folder).published())  # pyright: ignore[reportArgumentType] - our own JSON
    return jwt.decode(result.stdout.strip(), keys, algorithms=["ES256"]).claims


def test_a_person_is_named_by_their_id(folder: Path) -> None:
    claims = claims_of(folder, "--person", str(ANN))
    assert (claims["sub"], claims["roles"]) == (str(ANN), ["employee"])


def test_an_employee_number_means_the_person_of_the_last_import(folder: Path) -> None:
    last_import.keep(folder, roster_of(ANN, "103"))
    claims = claims_of(folder, "--person", "103", "--role", "manager", "--role", "hr", "--hours", "1")
    assert (claims["sub"], claims["roles"]) == (str(ANN), ["hr", "manager"])
    assert claims["exp"] == claims["iat"] + 3600  # pyright: ignore[reportOperatorIssue] - whole seconds
    assert person_named(folder, "103") == ANN


def test_an_unknown_number_says_what_to_do(folder: Path) -> None:
    with pytest.raises(LaunchFailed, match="trellis people import"):
        person_named(folder, "999")


def test_without_a_start_there_is_no_issuer_to_ask(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--folder", str(tmp_path / "nowhere"), "--person", str(ANN)])
    assert isinstance(result.exception, LaunchFailed)
    assert not (tmp_path / "nowhere").exists()


def roster_of(person: PersonId, number: str) -> Roster:
    roster = Roster()
    roster.take(
        PersonRecord(
            person=person,
            revision=1,
            employee_number=number,
            given_name="Ann",
            email=None,
            job_title=None,
            family_name="Quist",
            manager=None,
            team=None,
            legal_entity="US01",
            pay_group="US-MONTHLY",
            country="US",
            hired_on=date(2020, 1, 31),
            left_on=None,
            status=EmploymentStatus.ACTIVE,
        )
    )
    return roster
