"""`make bench`: measures what there is a benchmark for, and says what is not measured."""

import asyncio
import os
import platform
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.append import commands_per_second, create_store
from launcher import postgres

SECONDS: Final = 5.0
WRITERS: Final = (1, 16)
NOT_MEASURED: Final = """\
Not measured here: the relay, the projections, a whole command over HTTP. Figures in docs/ are from experiments made
while designing, on a 2-core machine; the negative controls among the tests repeat those about loss and duplication.
"""


async def _measure(url: str) -> None:
    await create_store(url)
    for writers in WRITERS:
        rate = await commands_per_second(url, writers=writers, seconds=SECONDS)
        print(f"  {writers:3d} writers, each its own stream: {rate:8,.0f} commands/s")


def main() -> None:
    print(f"commands decided and stored, on {os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL 18")
    with tempfile.TemporaryDirectory(prefix="trellis-bench-") as folder:
        server = postgres.start(Path(folder) / "postgres")
        try:
            asyncio.run(_measure(server.url()))
        finally:
            server.stop()
    print(NOT_MEASURED, end="")


if __name__ == "__main__":
    main()
