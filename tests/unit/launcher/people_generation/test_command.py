"""What `trellis people generate` leaves in a clone is nobody's to commit."""

import inspect
from pathlib import Path

from launcher.people import generate

REPOSITORY = Path(__file__).parents[4]


def test_what_is_made_up_is_ignored_where_it_is_written_unless_told() -> None:
    out: Path = inspect.signature(generate).parameters["file"].default
    ignored = (REPOSITORY / ".gitignore").read_text().splitlines()
    assert {f"/{out}", f"/{out.with_suffix('.toml')}"} <= set(ignored)
