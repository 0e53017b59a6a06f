"""Why a process ended is found at the end of its log, whatever else stands there."""

import json
from pathlib import Path

from launcher.last_words import last_words


def test_the_last_failure_is_told(tmp_path: Path) -> None:
    log = tmp_path / "goals-worker.log"
    failures = [{"event": "worker.failed", "part": "watchdog", "why": why} for why in ("the first", "relay hangs")]
    lines = [*map(json.dumps, failures), '{"event": "worker.stopped"}', "Killed", "[]", '{"event": "worker.fai']
    log.write_text("\n".join(lines))
    assert last_words(log) == "watchdog: relay hangs"


def test_a_log_without_a_failure_or_no_log_at_all_says_nothing(tmp_path: Path) -> None:
    log = tmp_path / "goals-worker.log"
    assert last_words(log) is None
    log.write_text('{"event": "relay.lead_lost"}\n')
    assert last_words(log) is None
