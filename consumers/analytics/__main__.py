"""`python -m consumers.analytics`: is anything missing in the topics; all of it as Parquet; is that all there."""

import asyncio
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

from aiokafka.errors import KafkaError

from consumers.analytics.reading import CHAINED, FEEDS, TopicMissing, tally
from consumers.analytics.report import lines, rows, table

_BOOTSTRAP: Final = "ANALYTICS_KAFKA_BOOTSTRAP"
_EVENTS_A_COMMIT: Final = "ANALYTICS_EVENTS_A_COMMIT"
_NO_PYARROW: Final = "This needs pyarrow: pip install '.[analytics]' in a clone of Trellis"


def main(arguments: list[str]) -> int:
    """Ends with 1 if something is missing, differs, or cannot be read; with 2 if it was called wrongly."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    bootstrap = os.environ.get(_BOOTSTRAP, "")
    if not bootstrap and asked.command != "prove":
        parser.error(f"{_BOOTSTRAP}=HOST:PORT is not set")
    try:
        return _run(asked, bootstrap)
    except TopicMissing as missing:
        sys.exit(f"The topic {missing} is not there: was Trellis ever started on {bootstrap}?")
    except (KafkaError, OSError, TimeoutError) as error:
        sys.exit(f"The broker at {bootstrap} does not answer: {error!r}")
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        sys.exit(_NO_PYARROW)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m consumers.analytics", description=main.__doc__)
    parser.add_argument("--json", action="store_true", help="the tally of the topics, as JSON")
    commands = parser.add_subparsers(dest="command")
    export = commands.add_parser("export", help="everything in the topics as Parquet, then what is new")
    export.add_argument("folder", type=Path)
    export.add_argument("--rebuild", action="store_true", help="throw away what was exported, and begin at offset 0")
    export.add_argument("--topic", action="append", dest="topics", help="this topic alone; may be said again")
    prove = commands.add_parser("prove", help="count and checksum of the files by topic, partition and day")
    prove.add_argument("folder", type=Path)
    prove.add_argument("--json", action="store_true", dest="as_json")
    prove.add_argument("--against", metavar="FILE", help="what `trellis log verify --json` said; -: standard input")
    return parser


def _run(asked: Namespace, bootstrap: str) -> int:
    if asked.command is None:
        found = lines(asyncio.run(tally(bootstrap)))
        sys.stdout.write((json.dumps(rows(found), indent=2) if asked.json else table(found)) + "\n")
        return 0 if all(line.whole for line in found) else 1
    from consumers.analytics import commands  # noqa: PLC0415 - the tally needs no pyarrow

    if asked.command == "prove":
        return commands.prove_complete(asked.folder, as_json=asked.as_json, against=asked.against)
    return commands.export_to(
        asked.folder,
        bootstrap,
        topics=asked.topics or (*CHAINED, *FEEDS),
        rebuild=asked.rebuild,
        events_a_commit=_events_a_commit(),
    )


def _events_a_commit() -> int:
    text = os.environ.get(_EVENTS_A_COMMIT, "50000")
    if not text.isdecimal() or int(text) == 0:
        sys.exit(f"{_EVENTS_A_COMMIT} must be a number of events from 1 on, and is {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
