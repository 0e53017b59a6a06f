"""What stops a start, in words that say what to do about it."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class LaunchFailed(Exception):  # noqa: N818 - named for what happened
    """Something could not be started; the message tells the person at the terminal what to do."""


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log file, indented for a message."""
    if not log.exists():
        return "  (it wrote no log)"
    lines = log.read_text(errors="replace").splitlines()[-count:]
    return "\n".join(f"  {line}" for line in lines) or "  (its log is empty)"


@contextmanager
def writing_into(folder: Path) -> Generator[None]:
    """Turns a missing right or a full disk below `folder` into a message."""
    try:
        yield
    except PermissionError as error:
        raise LaunchFailed(
            f"{folder} cannot be written ({error.filename or folder}). "
            "Give yourself the right, or take another folder with --folder."
        ) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOTDIR, errno.EEXIST}:
            raise LaunchFailed(
                f"{folder} cannot be written: {error.strerror} ({error.filename}). Take another folder with --folder."
            ) from error
        raise
