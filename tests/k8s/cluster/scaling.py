"""Production's own autoscaler of an api adds replicas under load through the Ingress."""

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

from tests.k8s.cluster.load import Load
from tests.k8s.cluster.place import REPOSITORY, Place
from tests.k8s.cluster.seen import hold, until
from tests.k8s.cluster.work import works

_AUTOSCALERS: Final = REPOSITORY / "deploy" / "k8s" / "overlays" / "production" / "autoscaling.yaml"
_NAME: Final = "goals-api"
_CLIENTS: Final = 8
_METRICS_SECONDS: Final = 180
_SCALED_SECONDS: Final = 240


async def follows_the_load(place: Place) -> str:
    """From the least number of replicas to more that are ready; afterwards it is as it was."""
    await place.kubectl("apply", "--filename=-", given=json.dumps(_autoscaler()))
    try:
        return await _seen(place)
    finally:
        await place.kubectl("delete", "horizontalpodautoscaler", _NAME)
        await place.kubectl("scale", f"deployment/{_NAME}", "--replicas=1")


async def _seen(place: Place) -> str:
    least = _autoscaler()["spec"]["minReplicas"]
    await until(
        lambda: _rests(place, least), within=_METRICS_SECONDS, what="no CPU of the pods at rest is told", every=2
    )
    before = await _state(place)
    goals = [work for work in works(place.company()) if work.service == "goals"]
    load = Load(place, goals, clients=_CLIENTS, pause=0)
    async with load.going_on():
        await until(lambda: _has_more(place, least), within=_SCALED_SECONDS, what="no more replicas are ready", every=2)
        after = await _state(place)
    hold(not load.failures, f"{load.asked} requests, {len(load.failures)} failed: {load.failures[:3]}")
    return (
        f"{_NAME} from {before['ready']} replicas at {before['cpu']} % of the CPU it asks for "
        f"to {after['ready']} ready ({after['wanted']} wanted) at {after['cpu']} %; {load.asked} requests, 0 failed"
    )


def _autoscaler() -> Mapping[str, Any]:
    (found,) = [one for one in yaml.safe_load_all(_AUTOSCALERS.read_text()) if one["metadata"]["name"] == _NAME]
    return found


async def _rests(place: Place, least: int) -> bool:
    state = await _state(place)
    return state["ready"] == state["wanted"] == least and state["cpu"] is not None


async def _has_more(place: Place, least: int) -> bool:
    return (await _state(place))["ready"] > least


async def _state(place: Place) -> Mapping[str, Any]:
    """Replicas that are ready, that the autoscaler wants, and their CPU in percent of what they ask for."""
    scaler = json.loads(await place.kubectl("get", "horizontalpodautoscaler", _NAME, "--output=json"))["status"]
    deployed = json.loads(await place.kubectl("get", "deployment", _NAME, "--output=json"))["status"]
    metrics = [m["resource"]["current"] for m in scaler.get("currentMetrics") or [] if m["type"] == "Resource"]
    cpu = metrics[0].get("averageUtilization") if metrics else None
    return {"ready": deployed.get("readyReplicas", 0), "wanted": scaler.get("desiredReplicas", 0), "cpu": cpu}
