"""`python -m tests.servers.watchdog FOLDER`: when its input ends, kills what still runs in FOLDER and removes it.

The test run holds the other end of the pipe, so however the run ends, the servers it started in its folder end too.
"""

import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


@contextmanager
def watched(folder: Path) -> Generator[None]:
    """Whatever runs in this folder does not outlive the caller."""
    command = [sys.executable, "-m", "tests.servers.watchdog", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        yield
        process.communicate()


def belongs_to(folder: str, process: psutil.Process) -> bool:
    """Whether it works in the folder or was started on something in it."""
    with suppress(psutil.Error):
        return process.cwd().startswith(folder) or any(folder in part for part in process.cmdline())
    return False


def main(folder: str) -> None:
    sys.stdin.buffer.read()
    me = psutil.Process().pid
    left = [process for process in psutil.process_iter() if process.pid != me and belongs_to(folder, process)]
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=5)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
