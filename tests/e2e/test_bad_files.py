"""Bad files at the import of what really runs: the row, the column, the value and the reason; good rows go through."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation

pytestmark = pytest.mark.e2e
SAMPLE = Path("launcher/company/hr_employees.csv")
MAPPING = SAMPLE.with_suffix(".toml")


async def imported(installation: Installation, file: Path, *options: str) -> tuple[int, str]:
    """Exit code and output of an import with the sample's mapping; `pytest -s` shows the output."""
    finished = await installation.trellis.run("people", "import", str(file), "--mapping", str(MAPPING), *options)
    print(finished.output)
    return finished.code, " ".join(finished.output.split())


@pytest.fixture
def with_unknown_manager(tmp_path: Path) -> Path:
    """Four people of the sample, and in row 6 a new one below nobody."""
    rows = list(csv.reader(SAMPLE.read_text().splitlines()))
    stranger = dict(zip(rows[0], rows[5], strict=True)) | {"EMPLOYEE_ID": "999", "MANAGER_ID": "4711"}
    file = tmp_path / "export.csv"
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([*rows[:5], list(stranger.values())])
    return file


async def test_an_unknown_manager_costs_its_row_alone(
    installation: Installation, with_unknown_manager: Path, tmp_path: Path
) -> None:
    file, report = with_unknown_manager, tmp_path / "report.json"
    code, said = await imported(installation, file, "--report", str(report))
    assert code == 1
    assert "5 rows: 0 new, 0 changed, 4 unchanged, 1 refused" in said
    [problem] = read(report)["problems"]
    assert problem == {"row": 6, "column": "MANAGER_ID", "value": "4711", "reason": problem["reason"]}
    assert "4711" in said


async def test_a_csv_that_is_no_csv_is_refused_whole(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "picture.csv"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00")
    code, said = await imported(installation, file)
    assert code == 1
    assert "picture.csv" in said


async def test_a_table_without_the_columns_is_told_which(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text("EMPLOYEE_NR,FIRST_NAME\n1,Ada\n")
    code, said = await imported(installation, file)
    assert code == 1
    assert "lacks columns: EMPLOYEE_ID" in said


async def test_the_same_file_again_changes_nothing(installation: Installation) -> None:
    code, said = await imported(installation, SAMPLE)
    assert code == 0
    assert "107 rows: 0 new, 0 changed, 107 unchanged, 0 refused" in said
    assert "published" not in said


def read(report: Path) -> dict[str, Any]:
    return json.loads(report.read_text())
