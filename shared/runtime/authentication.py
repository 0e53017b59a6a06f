"""Bearer tokens: who sent a request, proved by a signature of the issuer."""

import asyncio
import hashlib
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError, SecurityWarning
from joserfc.jwk import Key, KeySet

from shared.runtime.caller import Caller, Role
from shared.runtime.clock import Clock, now
from shared.runtime.logging import logger
from shared.runtime.problems import Problem, unauthorized, unavailable
from shared.schemas.identifiers import SYSTEM, PersonId

ALGORITHMS: Final = ("ES256", "RS256", "EdDSA", "Ed25519")
"""Signatures by a private key alone: with HS256 whoever can check a token could write one, and `none` is none."""
FRESH_SECONDS: Final = 300
"""After this long the keys are fetched again, so that one the issuer withdrew stops to count."""
PAUSE_SECONDS: Final = 5
"""At most one fetch in this time, whatever tokens arrive."""
LEEWAY_SECONDS: Final = 10
"""How far the issuer's clock and ours may differ."""
_TIMES: Final = ("exp", "nbf", "iat")
"""Of a claim set that was proved: what the clock may make invalid."""
_REMEMBERED: Final = 10_000
"""Tokens whose signature was proved; the least recently used are forgotten."""

warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)  # issuers still write it

log = logger(__name__)


class IssuerKeys:
    """The issuer's public keys: fetched when first needed, when stale, and when a token names one not seen yet."""

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._monotonic = monotonic
        self._keys: dict[str, Key] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching = asyncio.Lock()

    async def named(self, key_id: str) -> Key | None:
        """The key of this id; None where the issuer has none.

        Raises:
            Problem: 503, no key was ever fetched and the issuer does not answer.
        """
        if not self._fresh or key_id not in self._keys:
            await self._fetch_again(key_id)
        if self._fetched is None:
            raise unavailable(PAUSE_SECONDS, "The token issuer's keys cannot be fetched; ask again.")
        return self._keys.get(key_id)

    @property
    def _fresh(self) -> bool:
        return self._fetched is not None and self._monotonic() - self._fetched < FRESH_SECONDS

    @property
    def _paused(self) -> bool:
        return self._tried is not None and self._monotonic() - self._tried < PAUSE_SECONDS

    async def _fetch_again(self, key_id: str) -> None:
        async with self._fetching:
            known = self._fresh and key_id in self._keys  # the one before us in the queue may have fetched it
            if known or self._paused:
                return
            self._tried = self._monotonic()
            try:
                async with httpx.AsyncClient(timeout=5) as client:
                    answer = (await client.get(self._url)).raise_for_status().json()
                keys = KeySet.import_key_set(answer)
            except (httpx.HTTPError, JoseError, ValueError, TypeError, KeyError, LookupError) as error:
                log.warning("issuer's keys not fetched", url=self._url, error=type(error).__name__)
                return
            self._keys = {key.kid: key for key in keys if key.kid is not None}
            self._fetched = self._monotonic()


@dataclass(frozen=True, slots=True)
class _Proved:
    """What a key of the issuer has signed: as long as the issuer has that very key, the signature is good."""

    key_id: str
    key: Key
    times: jwt.Claims
    caller: Caller


class Authenticator:
    """Checks bearer tokens: signature, algorithm, issuer, audience, expiry, not-before; `sub` is a person's id.

    A signature, and the claims under it that never change, are proved once for each fetch of the issuer's keys; the
    times are held against the clock every time.
    """

    def __init__(self, *, issuer: str, audience: str, keys: IssuerKeys, clock: Clock = now) -> None:
        self._keys = keys
        self._proved: OrderedDict[bytes, _Proved] = OrderedDict()

        def seconds() -> int:
            return int(clock().timestamp())

        self._times = jwt.JWTClaimsRegistry(now=seconds, leeway=LEEWAY_SECONDS)
        self._claims = jwt.JWTClaimsRegistry(
            now=seconds,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    async def caller(self, authorization: str | None) -> Caller:
        """The caller that an Authorization header proves.

        Raises:
            Problem: 401 with the reason in WWW-Authenticate, 503 when the issuer's keys cannot be had.
        """
        if authorization is None:
            raise unauthorized("Send a bearer token in the Authorization header.", error=None)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("The Authorization header must be: Bearer <token>.")
        return await self._caller(token.strip())

    async def _caller(self, token: str) -> Caller:
        digest = hashlib.sha256(token.encode()).digest()  # whoever sees this memory finds no token in it
        known = self._proved.pop(digest, None)
        if known is not None and await self._keys.named(known.key_id) is known.key:
            _require_valid(known.times, self._times)
        else:
            known = await self._prove(token)
        self._proved[digest] = known  # as the last: others may have come while the keys were fetched
        if len(self._proved) > _REMEMBERED:
            self._proved.popitem(last=False)
        return known.caller

    async def _prove(self, token: str) -> _Proved:
        key_id, key = await self._key(token)
        try:
            claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError) as error:
            raise _not_valid(error) from error
        _require_valid(claims, self._claims)
        times = {name: claims[name] for name in _TIMES if name in claims}
        return _Proved(key_id, key, times, Caller.of(_person(claims["sub"]), _roles(claims.get("roles"))))

    async def _key(self, token: str) -> tuple[str, Key]:
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError) as error:
            raise unauthorized("The token is not a signed JWT.") from error
        if header.get("alg") not in ALGORITHMS:
            raise unauthorized(f"The token must be signed with one of {', '.join(ALGORITHMS)}.")
        key_id = header.get("kid")
        key = await self._keys.named(key_id) if isinstance(key_id, str) else None
        if key is None or not isinstance(key_id, str):
            raise unauthorized("The token is not signed with a key of the issuer.")
        return key_id, key


def _require_valid(claims: jwt.Claims, registry: jwt.JWTClaimsRegistry) -> None:
    try:
        registry.validate(claims)
    except ExpiredTokenError as error:
        raise unauthorized("The token has expired.") from error
    except (JoseError, ValueError, TypeError) as error:
        raise _not_valid(error) from error


def _not_valid(error: Exception) -> Problem:
    log.info("token refused", reason=type(error).__name__)
    return unauthorized("The token's signature, issuer, audience or times are not valid.")


def _person(subject: str) -> PersonId:
    try:
        person = PersonId(UUID(subject))
    except ValueError as error:
        raise unauthorized("The token's subject is not a person's id.") from error
    if person == SYSTEM:
        raise unauthorized("The token's subject is nobody's id.")
    return person


def _roles(claim: Any) -> list[Role]:
    """The roles that Trellis knows; others mean something elsewhere."""
    known = {role.value for role in Role}
    told = claim if isinstance(claim, list) else []
    return [Role(name) for name in told if isinstance(name, str) and name in known]
