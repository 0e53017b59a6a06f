"""A node that is drained may take one pod of two, and not the second before the first is replaced."""

import json
from collections.abc import Mapping
from typing import Any

from launcher.processes import SERVICES
from tests.k8s.cluster.kubectl import is_ready, name_of
from tests.k8s.cluster.place import NAMESPACE, ROLES, Place
from tests.k8s.cluster.seen import hold, until


async def keep_to_the_budgets(place: Place) -> str:
    """For each service, its api and its worker: two pods, of which one eviction is granted and the next refused."""
    granted = refused = 0
    for service in SERVICES:
        for role in ROLES:
            await _one_and_not_the_other(place, service, role)
            granted, refused = granted + 1, refused + 1
    return f"{granted} budgets: the first eviction of each was granted, the second refused (429 TooManyRequests)"


async def _one_and_not_the_other(place: Place, service: str, role: str) -> None:
    name = f"{service}-{role}"
    await place.kubectl("scale", f"deployment/{name}", "--replicas=2")
    await place.kubectl.rolled_out(f"deployment/{name}")
    await until(lambda: _allows_one(place, name), within=60, what=f"the budget of {name} does not allow one")
    first, second = [name_of(pod) for pod in await place.kubectl.pods(service, role) if is_ready(pod)]
    code, said = await _evicted(place, first)
    hold(code == 0, f"the first eviction of {name} was not granted: {said}")
    code, said = await _evicted(place, second)
    hold(code != 0 and "TooManyRequests" in said, f"the second eviction of {name} was not refused: {said}")
    await place.kubectl("scale", f"deployment/{name}", "--replicas=1")
    await place.kubectl.rolled_out(f"deployment/{name}")


async def _allows_one(place: Place, name: str) -> bool:
    budget = json.loads(await place.kubectl("get", "poddisruptionbudget", name, "--output=json"))
    return budget["status"].get("disruptionsAllowed") == 1


async def _evicted(place: Place, pod: str) -> tuple[int, str]:
    eviction: Mapping[str, Any] = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": NAMESPACE},
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    return await place.kubectl.said("create", "--raw", path, "--filename=-", given=json.dumps(eviction))
