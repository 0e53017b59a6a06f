"""A small disk of PostgreSQL's own, in memory, that can be filled to its last byte."""

import os
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

_SIZE_MB: Final = 1_500
_FILLING: Final = "filled-by-chaos"
_STEP: Final = 1_000_000


@contextmanager
def small_disk(folder: Path) -> Generator[Path | None]:
    """A file system at this folder while the block runs; None where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={_SIZE_MB}m,mode=755", "tmpfs", str(folder))
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            _run("umount", "--lazy", str(folder))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@asynccontextmanager
async def fill(folder: Path) -> AsyncGenerator[int]:
    """No byte is left while the block runs; how many megabytes that took."""
    filling = folder / _FILLING
    try:
        yield _fill(filling) // 1_000_000
    finally:
        filling.unlink(missing_ok=True)


def _fill(file: Path) -> int:
    with file.open("wb", buffering=0) as opened, suppress(OSError):
        left = os.statvfs(file.parent)
        with suppress(OSError):
            os.posix_fallocate(opened.fileno(), 0, max(1, left.f_bavail * left.f_frsize))
        opened.seek(0, os.SEEK_END)
        while opened.write(bytes(_STEP)):
            pass
    return file.stat().st_size
