"""`python -m consumers.analytics [--json]`: per topic and partition, how many events, which, and is the chain whole."""

import asyncio
import json
import os
import sys

from aiokafka.errors import KafkaError

from consumers.analytics.reading import TopicMissing, tally
from consumers.analytics.report import lines, rows, table


def main(arguments: list[str]) -> None:
    """Ends with 1 if a chain is not whole or the topics cannot be read, with 2 if it was called wrongly."""
    bootstrap = os.environ.get("ANALYTICS_KAFKA_BOOTSTRAP", "")
    if not bootstrap or arguments not in ([], ["--json"]):
        sys.stderr.write("usage: ANALYTICS_KAFKA_BOOTSTRAP=HOST:PORT python -m consumers.analytics [--json]\n")
        sys.exit(2)
    try:
        found = lines(asyncio.run(tally(bootstrap)))
    except TopicMissing as missing:
        sys.exit(f"The topic {missing} is not there: was Trellis ever started on {bootstrap}?")
    except (KafkaError, OSError, TimeoutError) as error:
        sys.exit(f"The broker at {bootstrap} does not answer: {error!r}")
    sys.stdout.write((json.dumps(rows(found), indent=2) if arguments else table(found)) + "\n")
    sys.exit(0 if all(line.whole for line in found) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
