"""`trellis people import` at the terminal, without a broker: a dry run, its report, and what it says of a bad file."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import launcher.company
from tests.unit.launcher.people_import.exports import HEADER, row

SAMPLE = Path(launcher.company.__file__).with_name("hr_employees.csv")


def trellis(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in an empty folder."""
    command = [sys.executable, "-m", "launcher", "people", "import", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def export(folder: Path, *rows: str) -> str:
    file = folder / "export.csv"
    file.write_text("\n".join([HEADER, *rows]))
    return str(file)


def test_a_dry_run_needs_no_broker_and_leaves_nothing_behind(tmp_path: Path) -> None:
    said = trellis(tmp_path, str(SAMPLE), "--dry-run")
    assert said.returncode == 0, said.stderr
    assert "107 rows: 107 new, 0 changed, 0 unchanged, 0 refused" in said.stdout
    assert "dry run: nothing was published" in said.stdout
    assert list(tmp_path.iterdir()) == []


def test_refused_rows_are_shown_and_written_to_the_report(tmp_path: Path) -> None:
    source = export(tmp_path, row("1"), row("2", "99"), row("3", hired_on="31-02-2020"))
    for name in ("report.csv", "report.json"):
        said = trellis(tmp_path, source, "--dry-run", "--report", name)
        assert said.returncode == 1
        assert "is nobody, neither in the file nor before" in said.stdout
        assert "3 rows: 1 new, 0 changed, 0 unchanged, 2 refused" in said.stdout
    expected = [("3", "manager", "99"), ("4", "hired_on", "31-02-2020")]
    with (tmp_path / "report.csv").open(newline="") as lines:
        assert [(line["row"], line["column"], line["value"]) for line in csv.DictReader(lines)] == expected
    written = json.loads((tmp_path / "report.json").read_text())
    assert (written["new"], written["refused"]) == (1, 2)
    assert [(str(p["row"]), p["column"], p["value"]) for p in written["problems"]] == expected


def test_what_is_no_csv_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "page.csv").write_text("<html><body>Sign in</body></html>")
    said = trellis(tmp_path, "page.csv")
    assert said.returncode == 1
    assert said.stderr.strip() == "page.csv is no CSV: it looks like a web page or XML. Save it as CSV."


def test_a_mapping_that_is_not_right_says_where(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[columns]\nfamliy_name = "Surname"\n')
    said = trellis(tmp_path, export(tmp_path, row("1")), "--mapping", "map.toml")
    assert said.returncode == 1
    assert "columns.famliy_name" in said.stderr


def test_without_a_broker_an_import_says_what_to_do(tmp_path: Path) -> None:
    said = trellis(tmp_path, str(SAMPLE))
    assert said.returncode == 1
    assert "trellis up" in said.stderr
