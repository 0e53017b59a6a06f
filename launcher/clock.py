"""`trellis clock`: the development clock of the services that `trellis up` started, put forward and never back."""

import fcntl
import re
from datetime import timedelta
from typing import Annotated, Final

import typer

from launcher.failure import LaunchFailed, writing_into
from launcher.state import DEFAULT_FOLDER, Folder, State
from shared.runtime.clock import now, read_ahead

app = typer.Typer(no_args_is_help=True, add_completion=False)
_PARTS: Final = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def _duration(words: str) -> timedelta:
    found = _PARTS.fullmatch(words)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not duration:
        raise typer.BadParameter(f"{words!r} is no time to go forward: say 3d, 12h, 90m, 30s, or 1d12h.")
    return duration


By = Annotated[timedelta, typer.Argument(metavar="DURATION", parser=_duration, help="3d, 12h, 90m, 30s, or 1d12h.")]


@app.callback()
def clock() -> None:
    """In development time can go faster: put the clock forward, and what is then due happens."""


@app.command()
def show(folder: Folder = DEFAULT_FOLDER) -> None:
    """Say what time it is for the services."""
    _say(_ahead(_development(folder)))


@app.command()
def advance(by: By, folder: Folder = DEFAULT_FOLDER) -> None:
    """Put the clock forward; reminders and deadlines that are then due fire at once. There is no way back."""
    state = _development(folder)
    with writing_into(state.folder), state.clock.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ahead = _ahead(state) + by
        draft = state.clock.with_suffix(".draft")
        draft.write_text(str(int(ahead.total_seconds())))
        draft.replace(state.clock)
    _say(ahead)


def _development(folder: Folder) -> State:
    """The installation whose clock this is. Services that others started have none: theirs is the real time."""
    state = State(folder)
    if not state.exists:
        raise LaunchFailed(
            f"Nothing was ever started in {state.folder}. Only the services that `trellis up` starts, for development, "
            "have a clock that can be put forward; all others go by the real time."
        )
    return state


def _ahead(state: State) -> timedelta:
    try:
        return read_ahead(state.clock)
    except (ValueError, OSError) as error:
        raise LaunchFailed(f"{state.clock} is broken ({error}). Delete that file and try again.") from error


def _say(ahead: timedelta) -> None:
    note = f"{ahead} ahead of the real time" if ahead else "the real time"
    print(f"{(now() + ahead).isoformat(timespec='seconds')}  ({note})")
