"""make and the locks explain themselves: a Python that will not do, a stale lock, a lock that trusts an index."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "deploy/requirements.lock", "benchmarks/requirements.lock")
NO_PYTHON = "#!/bin/sh\nexit 1\n"
NO_VENV = '#!/bin/sh\n[ "$1 $2" = "-m venv" ] && { mkdir .venv; exit 1; }\necho "Python 3.13.0"\n'


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What make and the lock program read, in a folder of its own, without a .venv."""
    for file in ("Makefile", "pyproject.toml", *LOCKS, ".ci/lock.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / file, tmp_path / file)
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def make_with(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """`make install` with a Python that behaves as the script does."""
    program = folder / "python"
    program.write_text(python)
    program.chmod(0o755)
    return run(folder, "make", f"PYTHON={program}", "install")


def test_make_alone_says_what_there_is(copy: Path) -> None:
    said = run(copy, "make").stdout
    for target in ("demo", "up", "down", "test", "check", "bench"):
        assert f"make {target} " in said


def test_a_python_that_is_too_old_is_refused_with_the_remedy(copy: Path) -> None:
    result = make_with(copy, NO_PYTHON)
    assert result.returncode != 0
    assert "Python 3.11 or newer is needed" in result.stdout


def test_a_python_without_venv_is_refused_with_the_remedy_and_leaves_nothing(copy: Path) -> None:
    result = make_with(copy, NO_VENV)
    assert result.returncode != 0
    assert "apt install python3-venv" in result.stdout
    assert not (copy / ".venv").exists()


def lock_check(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, sys.executable, ".ci/lock.py", "check")


def test_the_locks_are_those_of_this_project(copy: Path) -> None:
    assert lock_check(copy).returncode == 0


def test_a_forgotten_make_lock_is_found(copy: Path) -> None:
    project = copy / "pyproject.toml"
    project.write_text(project.read_text().replace('"aiokafka>=0.14"', '"aiokafka>=0.13"'))
    result = lock_check(copy)
    assert result.returncode == 1
    assert "requirements.lock: it was not made from this pyproject.toml: run `make lock`" in result.stderr


@pytest.mark.parametrize(
    ("line", "fault"),
    [("--index-url https://example.org/simple", "it names a package index"), ("left-pad==1.0", "no hash: left-pad")],
)
def test_a_lock_that_trusts_more_than_hashes_is_refused(copy: Path, line: str, fault: str) -> None:
    with (copy / "requirements.lock").open("a") as lock:
        lock.write(f"{line}\n")
    result = lock_check(copy)
    assert result.returncode == 1
    assert fault in result.stderr
