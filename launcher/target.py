"""`--target`: an installation that somebody else runs, such as docker compose, as a state folder that points at it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from launcher.brokers import existing
from launcher.failure import LaunchFailed
from launcher.issuer.signing_keys import SigningKeys
from launcher.process import PROJECT
from launcher.processes import SERVICES
from launcher.state import State

_DEPLOY: Final = Path(PROJECT) / "deploy"
KNOWN: Final = {
    "compose": _DEPLOY / "compose" / "target.toml",
    "kubernetes": _DEPLOY / "k8s" / "overlays" / "development" / "target.toml",
}
"""Targets with names: what `make compose` starts, and what the development overlay does."""

Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="|".join([*KNOWN, "FILE.toml"]),
        help="What runs elsewhere; unset: what `trellis up` started.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Installation:
    """Where an installation answers. `issuer_key`: the private key (PEM) of its development issuer."""

    kafka: str
    issuer_key: Path
    services: Mapping[str, str]


def folder_of(folder: Path, target: str | None) -> Path:
    """The state folder itself, or the one below it that stands for the target.

    Raises:
        LaunchFailed: the target cannot be read; the message says what is wrong with it.
    """
    if target is None:
        return folder
    file = KNOWN.get(target, Path(target))
    found, state = load(file), State(folder / "targets" / file.parent.name)
    state.create()
    state.point_at(kafka=found.kafka, addresses={f"{name}-api": url for name, url in found.services.items()})
    try:
        SigningKeys(state.folder).sign_with(found.issuer_key.read_bytes())
    except FileNotFoundError as error:
        raise LaunchFailed(f"{file}: there is no {found.issuer_key}: sh deploy/secrets.sh makes it.") from error
    except ValueError as error:
        raise LaunchFailed(f"{found.issuer_key} is no private key: {error}") from error
    return state.folder


def load(file: Path) -> Installation:
    """The installation that a file describes; the key's path is relative to it.

    Raises:
        LaunchFailed: it is not there, or something is wrong in it; the message names it.
    """
    try:
        said = tomllib.loads(file.read_text())
    except FileNotFoundError:
        raise LaunchFailed(f"There is no target {str(file)!r}: name {', '.join(KNOWN)} or a file.") from None
    except ValueError as error:
        raise LaunchFailed(f"{file} cannot be read: {error}") from error
    kafka, key, services = (_stated(said, name, kind, file) for name, kind in _PARTS)
    existing.parse(kafka)
    if set(services) != set(SERVICES) or not all(_is_address(url) for url in services.values()):
        raise LaunchFailed(f"{file}: [services] needs an address (http://HOST:PORT) each of {', '.join(SERVICES)}.")
    return Installation(kafka, file.parent / key, services)


_PARTS: Final = (("kafka", str), ("issuer_key", str), ("services", dict))


def _stated(said: Mapping[str, Any], name: str, kind: type, file: Path) -> Any:
    if not isinstance(said.get(name), kind):
        raise LaunchFailed(f"{file}: {name} is missing, or is no {kind.__name__}.")
    return said[name]


def _is_address(url: object) -> bool:
    return isinstance(url, str) and url.startswith(("http://", "https://")) and not url.endswith("/")
