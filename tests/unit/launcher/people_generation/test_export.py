"""A made-up company's export: the same bytes for the same seed, and an import reads back who was made up."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from launcher.people import app
from launcher.people_generation.company import company
from launcher.people_generation.export import write
from launcher.people_generation.months import company_later
from launcher.people_import.importing import Imported, compare
from launcher.people_import.mapping import load
from launcher.people_import.reading import read
from launcher.people_import.roster import Roster
from tests.unit.launcher.people_import.exports import TODAY, Silence, published


def imported(file: Path, roster: Roster | None = None) -> Imported:
    mapping = load(file.with_suffix(".toml"))
    return compare(read(file, mapping), mapping, roster or Roster(), today=TODAY, progress=Silence())


def generate(file: Path, *options: str) -> str:
    said = CliRunner().invoke(app, ["generate", "--out", str(file), *options])
    assert said.exit_code == 0, said.output
    return said.output


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(tmp_path / f"{name}.csv", "--size", "500", "--seed", "3", "--months", "2")
    generate(tmp_path / "other.csv", "--size", "500", "--seed", "4", "--months", "2")
    for suffix in (".csv", ".toml"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() != (tmp_path / "other.csv").read_bytes()


@pytest.mark.parametrize("size", [1, 2, 13, 1_000])
def test_an_import_refuses_nobody_and_reads_back_who_was_made_up(tmp_path: Path, size: int) -> None:
    write(tmp_path / "people.csv", company(size, 1))
    found = imported(tmp_path / "people.csv")
    assert found.checked.problems == []
    assert found.checked.employees == company(size, 1)


def test_a_later_export_changes_those_whom_the_months_changed(tmp_path: Path) -> None:
    before, later = {e.employee_number: e for e in company(1_000, 1)}, company_later(1_000, 1, months=3)
    write(tmp_path / "now.csv", before.values())
    write(tmp_path / "later.csv", later)
    roster = published(imported(tmp_path / "now.csv").changes)
    found = imported(tmp_path / "later.csv", roster)
    assert found.checked.refused == 0
    assert found.changes.new == len(later) - len(before)
    assert found.changes.changed == sum(
        before[one.employee_number] != one for one in later if one.employee_number in before
    )


def test_the_command_says_what_to_do_next(tmp_path: Path) -> None:
    said = generate(tmp_path / "people.csv", "--size", "100")
    assert "100 people employed, 8 who left" in said
    assert f"trellis people import {tmp_path / 'people.csv'}" in said
