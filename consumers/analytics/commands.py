"""`export` and `prove`: what `python -m consumers.analytics` does with a folder of Parquet files."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from consumers.analytics.export import EVENTS_A_COMMIT, Export, export
from consumers.analytics.folder import FolderBusy, opened
from consumers.analytics.following import LogForked, LogReplaced
from consumers.analytics.manifest import NoManifest
from consumers.analytics.proving import FileAltered, Line, differences, horizons_of, prove


def export_to(
    folder: Path, bootstrap: str, *, topics: Sequence[str], rebuild: bool, events_a_commit: int = EVENTS_A_COMMIT
) -> int:
    """Export what is new into the folder; the exit code: 1 where something is missing or stands in the way."""
    try:
        with opened(folder, anew=rebuild) as open_folder:
            run = asyncio.run(export(bootstrap, open_folder, topics=topics, events_a_commit=events_a_commit))
    except (FolderBusy, LogForked, NoManifest) as error:
        sys.exit(str(error))
    except LogReplaced as error:
        sys.exit(f"{error}.\nWhat was exported may never have happened in it: ask, then export with --rebuild.")
    sys.stdout.write("\n".join(_told(run)) + "\n")
    return 1 if run.holes() else 0


def _told(run: Export) -> list[str]:
    topics = sorted({place.topic for place in run.ways})
    said = [f"{topic:<18} {run.added[topic]:>9} new events" for topic in topics]
    said += [f"{count} of type {name}, which this release does not know" for name, count in run.unknown.items()]
    said += [f"{place.topic}/{place.partition}: MISSING {run.reached(place).missing}" for place in run.holes()]
    manifest = run.folder.manifest
    return [*said, f"{manifest.rows} events in {len(manifest.files)} files, commit {manifest.commit}"]


def prove_complete(folder: Path, *, as_json: bool, against: str | None) -> int:
    """Count the folder's events, and compare them with a verification; the exit code: 1 where they differ."""
    try:
        verified = {} if against is None else _verified(against)
        lines = prove(folder, horizons=horizons_of(verified))
    except (NoManifest, FileAltered) as error:
        sys.exit(str(error))
    found = differences(lines, verified)
    sys.stdout.write((_as_json(lines, found) if as_json else _as_table(lines, found, compared=bool(verified))) + "\n")
    return 1 if found else 0


def _verified(source: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        verified = json.loads(text)
        horizons_of(verified)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        sys.exit(f"{source} is not what `trellis log verify --json` says: {error!r}")
    return verified


def _as_json(lines: Sequence[Line], found: Sequence[str]) -> str:
    return json.dumps({"lines": [asdict(line) for line in lines], "differences": found}, indent=2)


def _as_table(lines: Sequence[Line], found: Sequence[str], *, compared: bool) -> str:
    shown = [f"{'topic':<18} {'partition':>9} {'day':<10} {'events':>9}  checksum"]
    shown += [f"{n.topic:<18} {n.partition:>9} {n.day} {n.events:>9}  {n.checksum[:16]}" for n in lines]
    shown.append(f"{sum(line.events for line in lines)} events")
    if compared and not found:
        shown.append("no difference: the files hold what the event stores hold")
    return "\n".join([*shown, *found])
