"""Tokens: only the issuer's signature, for us, in its time; and keys that rotate."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from launcher.issuer.name import AUDIENCE, ISSUER
from launcher.issuer.signing_keys import KEPT, SigningKeys
from launcher.token import issue_token
from shared.runtime.authentication import FRESH_SECONDS, PAUSE_SECONDS, Authenticator, IssuerKeys
from shared.runtime.caller import Caller, Role
from shared.runtime.clock import now
from shared.runtime.problems import Problem
from shared.schemas.identifiers import SYSTEM
from tests.unit.runtime.conftest import PERSON, serving


def claims(**changed: Any) -> dict[str, Any]:
    at = int(now().timestamp())
    roles = ["hr", "dj", ["hr"], {}, None]
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(PERSON), "roles": roles, "exp": at + 60, "nbf": at}
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def signed(key: Key, algorithm: str = "ES256", /, **changed: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims(**changed), key, algorithms=[algorithm])


def unsigned(algorithm: str, key_id: str) -> str:
    parts = ({"alg": algorithm, "kid": key_id, "typ": "JWT"}, claims())
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


async def refusal(authenticator: Authenticator, authorization: str | None) -> str:
    with pytest.raises(Problem) as refused:
        await authenticator.caller(authorization)
    assert refused.value.document.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith('Bearer realm="trellis"')
    return refused.value.document.detail


async def test_a_token_of_the_issuer_tells_person_and_known_roles(authenticator: Authenticator, folder: Path) -> None:
    caller = await authenticator.caller(f"bearer {signed(SigningKeys(folder).newest())}")
    assert caller == Caller(PERSON, frozenset({Role.HR, Role.EMPLOYEE}))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "payroll"},
        {"aud": None},
        {"aud": ["payroll"]},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": "103"},
        {"sub": str(SYSTEM)},
        {"sub": 7},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(
    authenticator: Authenticator, folder: Path, changed: dict[str, Any]
) -> None:
    await refusal(authenticator, f"Bearer {signed(SigningKeys(folder).newest(), **changed)}")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer x", "Bearer a.b.c"]
)
async def test_what_is_no_bearer_token_is_refused(authenticator: Authenticator, authorization: str | None) -> None:
    await refusal(authenticator, authorization)


async def test_a_signature_of_another_is_refused(authenticator: Authenticator, folder: Path) -> None:
    key_id = SigningKeys(folder).newest().kid
    forged = signed(ECKey.generate_key("P-256", {"kid": key_id or ""}))
    assert "signature" in await refusal(authenticator, f"Bearer {forged}")
    assert "key of the issuer" in await refusal(authenticator, f"Bearer {signed(ECKey.generate_key(auto_kid=True))}")
    changed = signed(SigningKeys(folder).newest()).split(".")
    changed[1] = unsigned("ES256", "").split(".")[1]
    await refusal(authenticator, f"Bearer {'.'.join(changed)}")


async def test_a_token_that_anybody_could_write_is_refused(authenticator: Authenticator, folder: Path) -> None:
    """The two classics: no signature at all, and HS256 with the public key as the secret."""
    newest = SigningKeys(folder).newest()
    assert "ES256" in await refusal(authenticator, f"Bearer {unsigned('none', newest.kid or '')}")
    public = OctKey.import_key(json.dumps(newest.as_dict(private=False)).encode(), {"kid": newest.kid or ""})
    assert "ES256" in await refusal(authenticator, f"Bearer {signed(public, 'HS256')}")


async def test_a_rotated_key_is_fetched_and_the_one_before_still_counts(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path)
    before = signed(keys.newest())
    at = [1000.0]
    async with serving(issuer_app_of(keys)) as address:
        authenticator = Authenticator(
            issuer=ISSUER, audience=AUDIENCE, keys=IssuerKeys(f"{address}/jwks.json", monotonic=lambda: at[0])
        )
        assert (await authenticator.caller(f"Bearer {before}")).person == PERSON
        after = signed(keys.rotate())
        await refusal(authenticator, f"Bearer {after}")  # just fetched: not again for this token
        at[0] += PAUSE_SECONDS
        assert (await authenticator.caller(f"Bearer {after}")).person == PERSON
        assert (await authenticator.caller(f"Bearer {before}")).person == PERSON


async def test_a_token_that_was_proved_before_is_refused_once_its_time_is_over(issuer: str, folder: Path) -> None:
    at = [now()]
    keys = IssuerKeys(f"{issuer}/jwks.json")
    authenticator = Authenticator(issuer=ISSUER, audience=AUDIENCE, keys=keys, clock=lambda: at[0])
    token = signed(SigningKeys(folder).newest())
    for _ in range(2):
        assert (await authenticator.caller(f"Bearer {token}")).person == PERSON
    at[0] -= timedelta(minutes=5)
    assert "times are not valid" in await refusal(authenticator, f"Bearer {token}")
    at[0] += timedelta(minutes=10)
    assert await refusal(authenticator, f"Bearer {token}") == "The token has expired."


async def test_a_token_that_was_proved_before_is_refused_once_its_key_is_withdrawn(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path)
    at = [1000.0]
    async with serving(issuer_app_of(keys)) as address:
        held = IssuerKeys(f"{address}/jwks.json", monotonic=lambda: at[0])
        authenticator = Authenticator(issuer=ISSUER, audience=AUDIENCE, keys=held)
        token = signed(keys.newest())
        for _ in range(2):
            assert (await authenticator.caller(f"Bearer {token}")).person == PERSON
        for _ in range(KEPT):
            keys.rotate()
        at[0] += FRESH_SECONDS
        assert "key of the issuer" in await refusal(authenticator, f"Bearer {token}")


async def test_another_signature_under_the_same_claims_is_proved_for_itself(
    authenticator: Authenticator, folder: Path
) -> None:
    token = signed(SigningKeys(folder).newest())
    assert (await authenticator.caller(f"Bearer {token}")).person == PERSON
    head, body, signature = token.split(".")
    forged = ".".join((head, body, ("B" if signature[0] == "A" else "A") + signature[1:]))
    assert "signature" in await refusal(authenticator, f"Bearer {forged}")


def issuer_app_of(keys: SigningKeys, fetched: list[str] | None = None) -> Starlette:
    async def published(request: Request) -> Response:
        if fetched is not None:
            fetched.append(request.url.path)
        return JSONResponse(keys.published())

    return Starlette(routes=[Route("/jwks.json", published)])


async def test_unknown_keys_do_not_make_us_ask_the_issuer_again_and_again(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path)
    fetched: list[str] = []
    at = [1000.0]
    async with serving(issuer_app_of(keys, fetched)) as address:
        held = IssuerKeys(f"{address}/jwks.json", monotonic=lambda: at[0])
        for n in range(20):
            assert await held.named(f"unknown-{n}") is None
        assert len(fetched) == 1
        at[0] += FRESH_SECONDS
        assert await held.named(keys.newest().kid or "") is not None
        assert len(fetched) == 2


async def test_an_issuer_that_is_down_is_no_wrong_token(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path)
    at = [1000.0]
    async with serving(issuer_app_of(keys)) as address:
        held = IssuerKeys(f"{address}/jwks.json", monotonic=lambda: at[0])
        assert await held.named(keys.newest().kid or "") is not None
    at[0] += FRESH_SECONDS
    assert await held.named(keys.newest().kid or "") is not None  # the keys we have go on to count
    never_fetched = Authenticator(issuer=ISSUER, audience=AUDIENCE, keys=IssuerKeys(f"{address}/jwks.json"))
    with pytest.raises(Problem) as refused:
        await never_fetched.caller(f"Bearer {signed(keys.newest())}")
    assert refused.value.document.status == 503


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048, {"kid": "k"}), "RS256"),
        (OKPKey.generate_key("Ed25519", {"kid": "k"}), "Ed25519"),
        (OKPKey.generate_key("Ed25519", {"kid": "k"}), "EdDSA"),
    ],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_other_issuers_algorithms_are_understood(key: Key, algorithm: str) -> None:
    async def published(_request: Request) -> Response:
        return JSONResponse(KeySet([key]).as_dict(private=False))

    async with serving(Starlette(routes=[Route("/jwks.json", published)])) as address:
        authenticator = Authenticator(issuer=ISSUER, audience=AUDIENCE, keys=IssuerKeys(f"{address}/jwks.json"))
        assert (await authenticator.caller(f"Bearer {signed(key, algorithm)}")).person == PERSON


@given(st.one_of(st.text(), st.from_regex(r"\A[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\Z")))
async def test_no_text_passes_for_a_token(text: str) -> None:
    await refusal(NOBODY, f"Bearer {text}")


NOBODY = Authenticator(issuer=ISSUER, audience=AUDIENCE, keys=IssuerKeys("http://127.0.0.1:9/jwks.json"))


async def test_without_a_token_nothing_answers_not_even_that_a_route_is_missing(stranger: httpx.AsyncClient) -> None:
    for path in ("/tests/v1/edge", "/tests/v1/openapi.json", "/nothing", "/health/live/"):
        answer = await stranger.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="trellis"'
        assert answer.json()["type"] == "urn:trellis:problem:unauthorized"


async def test_an_expired_token_says_so(stranger: httpx.AsyncClient, folder: Path) -> None:
    expired = issue_token(folder, PERSON, lifetime=timedelta(minutes=-5))
    answer = await stranger.get("/tests/v1/edge", headers={"Authorization": f"Bearer {expired}"})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The token has expired."
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_the_development_issuer_tells_where_its_keys_are(issuer: str) -> None:
    async with httpx.AsyncClient(base_url=issuer) as client:
        discovery = (await client.get("/.well-known/openid-configuration")).json()
        assert discovery["issuer"] == ISSUER
        published = (await client.get(discovery["jwks_uri"])).json()
        assert (await client.get("/health/live")).status_code == 200
    assert {"kid", "x", "y", "use", "alg"} <= published["keys"][0].keys()
    assert "d" not in published["keys"][0]


def test_signing_keys_are_their_owners_alone_and_stay_the_same(tmp_path: Path) -> None:
    first = SigningKeys(tmp_path).newest()
    assert SigningKeys(tmp_path).newest().kid == first.kid
    (file,) = (tmp_path / "issuer").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    rotated = SigningKeys(tmp_path).rotate()
    assert [key["kid"] for key in SigningKeys(tmp_path).published()["keys"]] == [rotated.kid, first.kid]
