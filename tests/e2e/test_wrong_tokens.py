"""Wrong tokens against what really runs: nobody gets in, and everybody is told why."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from launcher.issuer.name import AUDIENCE, ISSUER
from launcher.issuer.signing_keys import ALGORITHM, SigningKeys
from shared.runtime.clock import now
from tests.e2e.installation import Installation
from tests.e2e.refusals import refused

pytestmark = pytest.mark.e2e


def signed(installation: Installation, key: ECKey | None = None, **changed: Any) -> str:
    """A token that would be good, but for what is changed."""
    newest, at = SigningKeys(installation.folder).newest(), now()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(installation.company.hr.person),
        "roles": ["hr"],
        "iat": int(at.timestamp()),
        "exp": int((at + timedelta(hours=1)).timestamp()),
    }
    header = {"alg": ALGORITHM, "kid": newest.kid}
    return jwt.encode(header, {**claims, **changed}, key or newest, algorithms=[ALGORITHM])


async def asked_with(installation: Installation, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with httpx.AsyncClient(base_url=installation.addresses.services["reviews"]) as client:
        return await client.get("/reviews/v1/cycles", headers=headers)


async def why(installation: Installation, authorization: str | None) -> str:
    answer = await asked_with(installation, authorization)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="trellis"')
    return refused(answer, 401, "problem:unauthorized")["detail"]


async def test_a_good_token_is_accepted(installation: Installation) -> None:
    assert (await asked_with(installation, f"Bearer {signed(installation)}")).status_code == 200


async def test_without_a_token_one_is_asked_for(installation: Installation) -> None:
    assert await why(installation, None) == "Send a bearer token in the Authorization header."


async def test_garbage_is_no_token(installation: Installation) -> None:
    assert await why(installation, "Bearer garbage") == "The token is not a signed JWT."


async def test_a_signature_by_another_key_is_refused(installation: Installation) -> None:
    forged = signed(installation, ECKey.generate_key("P-256"))
    assert "signature" in await why(installation, f"Bearer {forged}")


async def test_an_expired_token_is_refused(installation: Installation) -> None:
    expired = signed(installation, exp=int((now() - timedelta(minutes=1)).timestamp()))
    assert await why(installation, f"Bearer {expired}") == "The token has expired."


async def test_a_token_for_another_audience_is_refused(installation: Installation) -> None:
    assert "audience" in await why(installation, f"Bearer {signed(installation, aud='another-product')}")
