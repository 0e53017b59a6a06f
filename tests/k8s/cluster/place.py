"""Where the proof takes place: the cluster, its ingress, and the folder of the trellis command on this machine."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launcher.demo_cycle.company import Company
from launcher.processes import SERVICES
from tests.k8s.cluster.kubectl import Kubectl
from tests.k8s.cluster.seen import hold

REPOSITORY: Final = Path(__file__).parents[3]
OVERLAY: Final = REPOSITORY / "deploy" / "k8s" / "overlays" / "development"
NAMESPACE: Final = "trellis-development"
KAFKA_PORT: Final = 19092
ROLES: Final = ("api", "worker")


@dataclass(frozen=True, slots=True)
class Place:
    """`ingress`: an address like http://10.0.0.1, where requests for any host reach the overlay's Ingress."""

    kubectl: Kubectl
    ingress: str
    folder: Path

    @property
    def target(self) -> Path:
        """The file for `--target`: every service through the Ingress, Kafka through a forwarded port."""
        return self.folder / "ingress" / "target.toml"

    @property
    def state(self) -> Path:
        """The state folder that the trellis command makes for the target."""
        return self.folder / "targets" / self.target.parent.name

    def company(self) -> Company:
        return Company.imported(self.state)

    def write_target(self) -> None:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        services = "\n".join(f'{name} = "{self.ingress}"' for name in SERVICES)
        key = OVERLAY / "secrets" / "issuer_key"
        self.target.write_text(f'kafka = "127.0.0.1:{KAFKA_PORT}"\nissuer_key = "{key}"\n\n[services]\n{services}\n')

    async def trellis(self, *words: str, within: float = 900) -> str:
        """What a trellis command printed.

        Raises:
            NotSeen: it ended with an error.
        """
        async with self.started(*words) as process, asyncio.timeout(within):
            output, _ = await process.communicate()
        said = output.decode()
        hold(process.returncode == 0, f"trellis {' '.join(words)} ended with {process.returncode}: {said[-600:]}")
        return said

    @asynccontextmanager
    async def started(self, *words: str) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A trellis command while it runs; killed, if it still does."""
        options = ("--target", str(self.target), "--folder", str(self.folder))
        command = (sys.executable, "-m", "launcher", *words, *options)
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT, cwd=REPOSITORY)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def count(self, service: str, table: str) -> int:
        """Rows of a table in a service's database."""
        query = f"select count(*) from {table}"  # noqa: S608 - one of the constants in work.py
        psql = ("psql", "--username=postgres", f"--dbname={service}", "--tuples-only", "--no-align")
        return int(await self.kubectl("exec", "statefulset/postgres", "--", *psql, f"--command={query}"))
