"""A pod that nobody knows reaches no database, no broker and no service; those that need them do."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from launcher.processes import SERVICES
from tests.k8s.cluster.kubectl import is_ready
from tests.k8s.cluster.place import ROLES, Place
from tests.k8s.cluster.seen import hold, until

_SERVERS: Final = (("postgres", 5432), ("kafka", 9092), ("kafka", 19092), ("issuer", 8000))
_NEEDED: Final = (("postgres", 5432), ("kafka", 9092), ("issuer", 8000))
_KNOWN_TO_ALL: Final = ("kubernetes.default.svc", 443)
"""The stranger's own network works: else everything would be refused to it."""
_TRY: Final = """
import json, socket, sys
def opens(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True
print(json.dumps([opens(*address) for address in json.loads(sys.argv[1])]))
"""
_STRANGER: Final[Mapping[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "stranger", "labels": {"app.kubernetes.io/name": "stranger"}},
    "spec": {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "stranger",
                "image": "trellis-goals:0.1.0",
                "command": ["sleep", "3600"],
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    },
}

Address = tuple[str, int]


async def lets_through_only_who_needs_it(place: Place) -> str:
    """What the stranger tries is open to others at the same moment: the same addresses, from the right pods."""
    closed = [*_SERVERS, *await _ports_of_the_services(place)]
    async with _stranger(place):
        await until(lambda: _is_shut_out(place, closed), within=20, what="the policies do not reach the stranger")
        opened = dict(zip(closed, await _open_from(place, "pod/stranger", closed), strict=True))
        hold(not any(opened.values()), f"open to a stranger: {[a for a, is_open in opened.items() if is_open]}")
        hold(all(await _open_from(place, "pod/stranger", [_KNOWN_TO_ALL])), "the stranger reaches nothing at all")
    right = await _right_ones(place)
    return f"{len(closed)} of {len(closed)} ports closed to a stranger that reaches the cluster's API; {right}"


async def _right_ones(place: Place) -> str:
    """Each process reaches PostgreSQL, Kafka and the issuer, and no other service."""
    for service in SERVICES:
        for role in ROLES:
            pod = f"deployment/{service}-{role}"
            hold(all(await _open_from(place, pod, _NEEDED)), f"{pod} does not reach all of {_NEEDED}")
    others = [(f"{service}-api", 80) for service in SERVICES if service != "goals"]
    hold(not any(await _open_from(place, "deployment/goals-api", others)), "goals reaches another service")
    hold(all(await _open_from(place, "deployment/payroll", [("kafka", 9092)])), "payroll does not reach Kafka")
    return "8 deployments reach database, Kafka and issuer, and goals no other service"


async def _ports_of_the_services(place: Place) -> list[Address]:
    """The services' names, and every pod's own address with the port of the metrics."""
    found: list[Address] = [(f"{service}-api", 80) for service in SERVICES]
    for service in SERVICES:
        for role in ROLES:
            pods = await place.kubectl.pods(service, role)
            found += [(pod["status"]["podIP"], port) for pod in pods if is_ready(pod) for port in (8000, 9000)]
    return found


@asynccontextmanager
async def _stranger(place: Place) -> AsyncGenerator[None]:
    await place.kubectl("delete", "pod", "stranger", "--ignore-not-found", "--grace-period=0", "--force")
    await place.kubectl("create", "--filename=-", given=json.dumps(_STRANGER))
    try:
        await place.kubectl("wait", "--for=condition=Ready", "pod/stranger", "--timeout=60s", within=70)
        yield
    finally:
        await place.kubectl("delete", "pod", "stranger", "--grace-period=0", "--force")


async def _is_shut_out(place: Place, closed: Sequence[Address]) -> bool:
    """A policy may take a moment to reach a new pod."""
    return not any(await _open_from(place, "pod/stranger", closed[:1]))


async def _open_from(place: Place, pod: str, addresses: Sequence[Address]) -> list[bool]:
    words = ("exec", pod, "--", "python", "-c", _TRY, json.dumps(addresses))
    said = await place.kubectl(*words, within=30 + 3 * len(addresses))
    return json.loads(said.strip().splitlines()[-1])
