"""`trellis token`, and the tokens of the development issuer for the demo and the tests."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer
from joserfc import jwt

from launcher.failure import LaunchFailed
from launcher.issuer.name import AUDIENCE, ISSUER
from launcher.issuer.signing_keys import ALGORITHM, SigningKeys
from launcher.people_import import last_import
from launcher.state import DEFAULT_FOLDER, Folder, State
from launcher.target import Target, folder_of
from shared.runtime.caller import Role
from shared.runtime.clock import now
from shared.schemas.identifiers import PersonId

WORKING_DAY: Final = timedelta(hours=8)

app = typer.Typer(add_completion=False)
Person = Annotated[
    str,
    typer.Option("--person", metavar="NUMBER|ID", help="Employee number or person id.", show_default=False),
]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="May be given several times; unset: employee.")]
Hours = Annotated[float, typer.Option("--hours", min=0.01, help="How long it is valid.")]


@app.command()
def token(
    person: Person,
    *,
    roles: Roles = None,
    hours: Hours = 8,
    target: Target = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Print a bearer token of the development issuer: the services that run from the state folder accept it."""
    folder = folder_of(folder, target)
    if not State(folder).exists:
        raise LaunchFailed(f"Nothing was ever started in {folder.absolute()}. Start it: `trellis up`.")
    print(issue_token(folder, person_named(folder, person), roles or [Role.EMPLOYEE], timedelta(hours=hours)))


def person_named(folder: Path, name: str) -> PersonId:
    """The person with this id, or with this employee number in the last accepted import."""
    try:
        return PersonId(UUID(name))
    except ValueError:
        found = last_import.person_id(folder, name)
    if found is None:
        raise LaunchFailed(
            f"Nobody has the employee number {name!r}, and it is no person's id. "
            "Is the import missing? `trellis people import FILE`"
        )
    return found


def issue_token(
    folder: Path, person: PersonId, roles: Iterable[Role] = (Role.EMPLOYEE,), lifetime: timedelta = WORKING_DAY
) -> str:
    """A signed token for a person, made with the keys of this state folder."""
    at = now()
    key = SigningKeys(folder).newest()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(person),
        "roles": sorted(role.value for role in roles),
        "iat": int(at.timestamp()),
        "nbf": int(at.timestamp()),
        "exp": int((at + lifetime).timestamp()),
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])
