"""`make k8s-proof`: the development overlay goes onto a cluster, and seven things are seen there; a table says what."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from launcher.failure import LaunchFailed
from tests.k8s.cluster import cycle, evictions, installed, network, rolling, scaling
from tests.k8s.cluster.kubectl import Kubectl
from tests.k8s.cluster.place import NAMESPACE, REPOSITORY, Place
from tests.k8s.cluster.seen import NotSeen, Seen, looked_at, table

STEPS: Final[Mapping[str, tuple[str, Callable[[Place], Awaitable[str]]]]] = {
    "install": ("the development overlay goes onto the cluster", installed.is_installed),
    "network": ("network policies", network.lets_through_only_who_needs_it),
    "demo": ("the demo through the Ingress", cycle.runs_through_the_ingress),
    "kill": ("the demo while workers are killed", cycle.survives_killed_workers),
    "rolling": ("a rolling update under load", rolling.fails_no_request),
    "evictions": ("evictions against the disruption budgets", evictions.keep_to_the_budgets),
    "scaling": ("an api is autoscaled under load", scaling.follows_the_load),
}


async def proof(place: Place, chosen: list[str]) -> list[Seen]:
    """The steps in their order; what cannot be installed is not looked at further."""
    rows: list[Seen] = []
    for key, (name, step) in STEPS.items():
        if key not in chosen:
            continue
        print(f"== {name}", flush=True)
        rows.append(await looked_at(name, lambda s=step: _told(s, place)))
        print(f"   {rows[-1].what} ({rows[-1].seconds:.0f} s)", flush=True)
        if key == "install" and not rows[-1].well:
            break
    return rows


async def _told(step: Callable[[Place], Awaitable[str]], place: Place) -> str:
    """What the launcher cannot do is not seen either."""
    try:
        return await step(place)
    except LaunchFailed as error:
        raise NotSeen(str(error)) from error


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.k8s.cluster", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="of a cluster that has Trellis's images")
    parser.add_argument(
        "--ingress", required=True, help="where its ingress controller (class nginx) answers: http://HOST"
    )
    parser.add_argument("--kubectl", default="kubectl", help="the program")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".trellis" / "k8s-proof", help="for state and keys")
    parser.add_argument("--steps", default=",".join(STEPS), help="only these, in this order: %(default)s")
    asked = parser.parse_args()
    chosen = asked.steps.split(",")
    if unknown := set(chosen) - set(STEPS):
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    place = Place(Kubectl(asked.kubectl, asked.kubeconfig, NAMESPACE), asked.ingress.rstrip("/"), asked.folder)
    rows = asyncio.run(proof(place, chosen))
    print(f"\n{table(rows)}")
    return 0 if all(row.well for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
