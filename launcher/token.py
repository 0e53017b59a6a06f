"""Tokens of the development issuer: for trying the services by hand, for the demo and for the tests."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

from joserfc import jwt

from launcher.issuer_name import AUDIENCE, ISSUER
from launcher.signing_keys import ALGORITHM, SigningKeys
from shared.runtime.caller import Role
from shared.runtime.clock import now
from shared.schemas.identifiers import PersonId

WORKING_DAY: Final = timedelta(hours=8)


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
