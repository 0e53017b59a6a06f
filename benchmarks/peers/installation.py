"""The peers' own environments, apart from ours: a virtual environment and a folder of npm, made when first needed."""

import asyncio
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from launcher.failure import LaunchFailed

_HERE: Final = Path(__file__).parent
_FOLDER: Final = _HERE.parent / ".peers"
_PYTHON: Final = _FOLDER / "python"
_NODE: Final = _FOLDER / "node"
_INSTALLED: Final = "installed"


async def python_peer(program: str) -> Sequence[str]:
    """How a Python peer's program is started; its packages are those of requirements.txt.

    Raises:
        LaunchFailed: they cannot be had.
    """
    requirements, interpreter = _HERE / "requirements.txt", _PYTHON / "bin" / "python"
    if not _is_installed(_PYTHON, requirements):
        await _run(sys.executable, "-m", "venv", "--clear", str(_PYTHON))
        await _run(str(interpreter), "-m", "pip", "install", "--quiet", "--requirement", str(requirements))
        _note(_PYTHON, requirements)
    return (str(interpreter), str(_HERE / program))


async def node_peer(program: str) -> Sequence[str]:
    """How a Node.js peer's program is started, with what package.json names.

    Raises:
        LaunchFailed: there is no Node.js here, or its packages cannot be had.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise LaunchFailed("there is no Node.js with npm here")
    package = _HERE / "package.json"
    if not _is_installed(_NODE, package):
        shutil.rmtree(_NODE, ignore_errors=True)
        _NODE.mkdir(parents=True)
        shutil.copy(package, _NODE)
        quietly = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")
        await _run(npm, "install", "--prefix", str(_NODE), *quietly)
        _note(_NODE, package)
    shutil.copy(_HERE / program, _NODE)  # where it finds its packages
    return (node, str(_NODE / program))


def _is_installed(folder: Path, wanted: Path) -> bool:
    note = folder / _INSTALLED
    return note.exists() and note.read_text() == wanted.read_text()


def _note(folder: Path, wanted: Path) -> None:
    (folder / _INSTALLED).write_text(wanted.read_text())


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise LaunchFailed(f"{' '.join(command)} failed:\n{said.decode()}")
