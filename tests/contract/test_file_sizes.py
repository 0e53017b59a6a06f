"""A file of the model service fits in one reading: none of goals is over 300 lines."""

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LONGEST = 300


def too_long(folder: Path) -> dict[str, int]:
    """The files in the folder with more lines than one reads at a time, and how many they have."""
    lines = {str(file.relative_to(folder)): len(file.read_text().splitlines()) for file in folder.rglob("*.py")}
    return {file: count for file, count in lines.items() if count > LONGEST}


def test_no_file_of_goals_is_longer_than_one_reads() -> None:
    assert too_long(REPOSITORY / "services" / "goals") == {}


def test_a_file_that_is_one_line_longer_is_found(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "goals.py").write_text("a = 1\n" * 300)
    (tmp_path / "api" / "plans.py").write_text("a = 1\n" * 301)
    assert too_long(tmp_path) == {"api/plans.py": 301}
