"""The manifest: which files there are and how far they go, replaced in one rename, so that both are always true."""

import json
import os
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from consumers.analytics.following import Reached

NAME: Final = "manifest.json"


class NoManifest(Exception):  # noqa: N818 - named for the fact
    """The folder has no manifest, or one that is none; the message says which."""


class ParquetFile(BaseModel):
    """A file of events, below the folder; `sha256` is of its bytes, in hex."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    rows: int
    sha256: str

    @property
    def drawer(self) -> str:
        return self.path.rsplit("/", 1)[0]


class Manifest(BaseModel):
    """The whole truth of the folder: a file that is not named here is none of it."""

    model_config = ConfigDict(extra="ignore")

    format: Literal[1] = 1
    commit: int = 0
    partitions: dict[str, dict[int, Reached]] = Field(default_factory=dict)
    files: list[ParquetFile] = Field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def load(folder: Path) -> Manifest:
    """The folder's manifest.

    Raises:
        NoManifest: there is none, or it cannot be read.
    """
    try:
        return Manifest.model_validate_json((folder / NAME).read_bytes())
    except FileNotFoundError as error:
        raise NoManifest(f"{folder} holds no export: there is no {NAME}") from error
    except (ValidationError, json.JSONDecodeError) as error:
        raise NoManifest(f"{folder / NAME} is no manifest of this release: {error}") from error


def replace(folder: Path, manifest: Manifest) -> None:
    """Make this the folder's manifest, whole and at once; what it names is on disk already."""
    written = folder / f"{NAME}.next"
    with written.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    written.replace(folder / NAME)
    sync(folder)


def sync(folder: Path) -> None:
    """Have the folder's names on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
