"""The development issuer's signing keys: kept in the state folder, readable by their owner alone."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

from joserfc.jwk import ECKey, KeySet

ALGORITHM: Final = "ES256"
KEPT: Final = 3
"""How many keys stay published: the newest signs, the others still prove tokens that they signed."""


class SigningKeys:
    """The keys under a state folder; made when first needed. A process sees at once what another one rotated."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "issuer" / "keys.json"

    def newest(self) -> ECKey:
        """The key that signs."""
        return self._keys()[0]

    def rotate(self) -> ECKey:
        """Sign with a new key from now on; the one before stays published."""
        keys = self._keys()
        self._write([_new_key(), *keys][:KEPT])
        return self.newest()

    def sign_with(self, pem: bytes) -> None:
        """Sign with this private key alone: whoever was given the same one proves these tokens.

        Raises:
            ValueError: it is no EC key in PEM.
        """
        key = ECKey.import_key(pem, {"use": "sig", "alg": ALGORITHM})
        key.ensure_kid()
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write([key])

    def published(self) -> dict[str, Any]:
        """The public halves, as a JWK set."""
        return cast("dict[str, Any]", KeySet(list(self._keys())).as_dict(private=False))

    def _keys(self) -> list[ECKey]:
        if not self._file.exists():
            self._write_first()
        return [ECKey.import_key(key) for key in json.loads(self._file.read_text())["keys"]]

    def _write_first(self) -> None:
        """Write the first key; where two processes do so at once, the first one's stays."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._draft([_new_key()])
        with suppress(FileExistsError):
            os.link(draft, self._file)
        draft.unlink()

    def _write(self, keys: list[ECKey]) -> None:
        self._draft(keys).replace(self._file)

    def _draft(self, keys: list[ECKey]) -> Path:
        draft = self._file.with_name(f"keys-{os.getpid()}.draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(KeySet(list(keys)).as_dict(private=True), file)
        return draft


def _new_key() -> ECKey:
    return ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
