"""The development overlay goes onto the cluster, and every pod of it is ready under the restricted standard."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from launcher.processes import SERVICES
from tests.k8s.cluster.kubectl import is_ready, name_of
from tests.k8s.cluster.place import NAMESPACE, OVERLAY, REPOSITORY, Place
from tests.k8s.cluster.seen import hold, until

_ENFORCED = "pod-security.kubernetes.io/enforce"
_TOO_MUCH: Mapping[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "as-root"},
    "spec": {"containers": [{"name": "as-root", "image": "trellis-goals:0.1.0", "securityContext": {"runAsUser": 0}}]},
}


async def is_installed(place: Place) -> str:
    """Apply it, wait for it, look at each pod; the negative control is a pod that asks for more and is refused."""
    await _applied(place)
    await _through(place)
    pods = [pod for pod in await place.kubectl.found("pods") if _stays(pod)]
    unready = [name_of(pod) for pod in pods if not is_ready(pod)]
    hold(pods and not unready, f"not ready: {', '.join(unready)}")
    namespace = json.loads(await place.kubectl("get", "namespace", NAMESPACE, "--output=json"))
    hold(namespace["metadata"]["labels"].get(_ENFORCED) == "restricted", f"{NAMESPACE} does not enforce `restricted`")
    await _what_asks_for_more_is_refused(place)
    return f"{len(pods)} of {len(pods)} pods ready, `restricted` enforced; a pod as root was refused"


def _stays(pod: Mapping[str, Any]) -> bool:
    """Not a job's that is through, and not on its way out."""
    return pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]


async def _applied(place: Place) -> None:
    secrets = await asyncio.create_subprocess_exec("sh", "deploy/secrets.sh", str(OVERLAY / "secrets"), cwd=REPOSITORY)
    hold(await secrets.wait() == 0, "deploy/secrets.sh failed")
    done = ("--selector", "app.kubernetes.io/component=migrate", "--ignore-not-found")
    await place.kubectl("delete", "job", *done, within=60)
    said = await place.kubectl("apply", "--kustomize", str(OVERLAY), within=120)
    hold("would violate PodSecurity" not in said, f"the standard is broken: {said}")


async def _through(place: Place) -> None:
    for kind in ("statefulset", "deployment"):
        await place.kubectl.rolled_out(*(f"{kind}/{name_of(one)}" for one in await place.kubectl.found(kind)))
    for service in SERVICES:
        await until(lambda s=service: _migrated(place, s), within=60, what=f"{service}'s migration is not through")


async def _migrated(place: Place, service: str) -> bool:
    """A job that is through is deleted after a while: what waited for it stands in for it, and is rolled out."""
    jobs = await place.kubectl.found("job", f"app.kubernetes.io/name={service}")
    return all(job["status"].get("succeeded") for job in jobs)


async def _what_asks_for_more_is_refused(place: Place) -> None:
    code, said = await place.kubectl.said("create", "--dry-run=server", "--filename=-", given=json.dumps(_TOO_MUCH))
    hold(code != 0 and "violates PodSecurity" in said, f"a pod that runs as root was let in: {said}")
