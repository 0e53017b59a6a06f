"""Every service's api and worker are replaced under load, and no request through the Ingress fails."""

import asyncio
from collections import Counter

from tests.k8s.cluster.kubectl import name_of
from tests.k8s.cluster.load import Load
from tests.k8s.cluster.place import ROLES, Place
from tests.k8s.cluster.seen import hold, until
from tests.k8s.cluster.work import Work, works


async def fails_no_request(place: Place) -> str:
    """One service after the other, its two deployments at once; then every acknowledged command is in a read model."""
    load = Load(place, works(place.company()))
    before = {work.service: await place.count(work.service, work.shown_in) for work in load.works}
    async with load.going_on():
        await until(lambda: _under_way(load), within=60, what="the load is not under way")
        for work in load.works:
            await _replaced(place, work.service)
    shown = f"{load.asked} requests, {len(load.failures)} failed, longest {load.longest:.1f} s"
    hold(not load.failures, f"{shown}: {_counted(load.failures)}")
    for work in load.works:
        wanted = before[work.service] + load.acknowledged[work.service]
        await until(
            lambda w=work, n=wanted: _shows(place, w, n),
            within=60,
            what=lambda w=work, n=wanted: f"{w.shown_in} has not the {n} rows of the acknowledged commands",
        )
    return f"8 deployments replaced; {shown}; {sum(load.acknowledged.values())} commands acknowledged, all applied"


async def _under_way(load: Load) -> bool:
    return len(load.acknowledged) == len(load.works)


async def _replaced(place: Place, service: str) -> None:
    """Both deployments have new pods alone, and the old ones are gone."""
    old = await _pods(place, service)
    deployments = [f"deployment/{service}-{role}" for role in ROLES]
    await place.kubectl("rollout", "restart", *deployments)
    await asyncio.gather(*(place.kubectl.rolled_out(one) for one in deployments))
    await until(
        lambda: _are_gone(place, service, old), within=60, what=f"old pods of {service} are still there", every=1
    )


async def _pods(place: Place, service: str) -> set[str]:
    found = await place.kubectl.found(
        "pods", f"app.kubernetes.io/name={service}", "app.kubernetes.io/component in (api, worker)"
    )
    return {name_of(pod) for pod in found}


async def _are_gone(place: Place, service: str, old: set[str]) -> bool:
    return not old & await _pods(place, service)


async def _shows(place: Place, work: Work, wanted: int) -> bool:
    return await place.count(work.service, work.shown_in) == wanted


def _counted(failures: list[str]) -> str:
    return "; ".join(f"{count} x {failure}" for failure, count in Counter(failures).most_common(3))
