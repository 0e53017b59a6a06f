"""kubectl in one namespace of one cluster, as the steps use it."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.k8s.cluster.seen import hold

_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Kubectl:
    """`program` against the cluster that `kubeconfig` names."""

    program: str
    kubeconfig: Path
    namespace: str

    async def __call__(self, *words: str, given: str | None = None, within: float = _PATIENCE_SECONDS) -> str:
        """What it printed, on both of its outputs.

        Raises:
            NotSeen: it ended with an error, which is the message.
            TimeoutError: it did not end within these seconds.
        """
        code, said = await self.said(*words, given=given, within=within)
        hold(code == 0, f"kubectl {' '.join(words)}: {said.strip()}")
        return said

    async def said(self, *words: str, given: str | None = None, within: float = _PATIENCE_SECONDS) -> tuple[int, str]:
        """The exit code, and what it printed on both of its outputs."""
        process = await asyncio.create_subprocess_exec(
            *self._command(*words), stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=self._environment()
        )
        try:
            async with asyncio.timeout(within):
                output, _ = await process.communicate(None if given is None else given.encode())
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise TimeoutError(f"kubectl {' '.join(words)} did not end within {within:.0f} s") from error
        return process.returncode or 0, output.decode()

    async def found(self, kind: str, *selectors: str) -> list[Mapping[str, Any]]:
        """The objects of a kind that have all these labels (`name=value`)."""
        chosen = ["--selector", ",".join(selectors)] if selectors else []
        return json.loads(await self("get", kind, *chosen, "--output=json"))["items"]

    async def pods(self, service: str, component: str) -> list[Mapping[str, Any]]:
        """The pods of one role of a service that are not on their way out."""
        labels = f"app.kubernetes.io/name={service}", f"app.kubernetes.io/component={component}"
        return [pod for pod in await self.found("pods", *labels) if "deletionTimestamp" not in pod["metadata"]]

    async def rolled_out(self, *what: str) -> None:
        """Wait until each of these (`deployment/goals-api`) is as it was asked for."""
        for one in what:
            await self("rollout", "status", one, "--timeout=280s", within=290)

    @asynccontextmanager
    async def forwarding(self, target: str, port: int) -> AsyncGenerator[None]:
        """A port of the target at the same port of this machine."""
        command = self._command("port-forward", target, f"{port}:{port}")
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT, env=self._environment())
        assert process.stdout is not None
        first = (await process.stdout.readline()).decode()
        drained = asyncio.create_task(process.stdout.read())
        try:
            hold(first.startswith("Forwarding from"), f"kubectl port-forward {target}: {first}")
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.gather(process.wait(), drained)

    def _command(self, *words: str) -> Sequence[str]:
        return self.program, "--namespace", self.namespace, *words

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}


def is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def name_of(found: Mapping[str, Any]) -> str:
    return found["metadata"]["name"]
