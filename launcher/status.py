"""`trellis status`: what runs, how far the relay and the projections are behind, and where everything answers."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from launcher import health, postgres
from launcher.addresses import broker_of, url
from launcher.brokers import existing
from launcher.failure import LaunchFailed
from launcher.health import Answer
from launcher.last_words import last_words
from launcher.processes import NAMES, SERVICES, metrics_of, recorded_workers, workers_of
from launcher.state import DEFAULT_FOLDER, Folder, State

app = typer.Typer(add_completion=False)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, with all addresses.")]
Status = Mapping[str, Any]
_PATIENCE_SECONDS: Final = 10.0  # a worker asks its database and the broker first, on a machine that may be busy


@app.command()
def status(folder: Folder = DEFAULT_FOLDER, *, as_json: AsJson = False) -> None:
    """Say what runs, how far behind it is, and where it answers. Ends with 1 unless everything is ready."""
    state = State(folder)
    if not state.exists:
        raise LaunchFailed(f"Nothing was ever started in {state.folder}. Start it: `trellis up`.")
    found = read_status(state)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _show(found, Console(highlight=False))
    raise typer.Exit(0 if found["ready"] else 1)


def read_status(state: State) -> Status:
    """Everything that `--json` prints."""
    with ThreadPoolExecutor() as pool:
        asked = {service: pool.submit(_service, state, service) for service in SERVICES}
        payroll, issuer = pool.submit(_ready, state, "payroll", "ready"), pool.submit(_ready, state, "issuer", "live")
        services = {service: answer.result() for service, answer in asked.items()}
    servers = {"postgres": _postgres(state), "kafka": _kafka(state)}
    others = {"payroll": payroll.result(), "issuer": issuer.result()}
    ready = all(part["ready"] for part in (*services.values(), *servers.values(), *others.values()))
    stopped = dict.fromkeys([*(name for name, server in servers.items() if not server["ready"]), *not_running(state)])
    found = {"ready": ready, "stopped": [*stopped], "services": services, **servers, **others}
    return {**found, "folder": str(state.folder)}


def _service(state: State, service: str) -> Status:
    """`ready`: its API and its workers are. `worker`: what these say of themselves, null if none answers."""
    api = f"{service}-api"
    api_state = _ready(state, api, "ready")
    said = {name: _ask(state, name, "/status") for name in workers_of(state, service)}
    wrong = {name: _worker_problem(state, name, answer) for name, answer in said.items()}
    problems = [f"api: {api_state['problem']}"] if api_state["problem"] else []
    problems += [f"{name.removeprefix(f'{service}-')}: {problem}" for name, problem in wrong.items() if problem]
    return {
        "ready": not problems,
        "problems": problems,
        "address": url(state, api),
        "worker_address": url(state, f"{service}-worker"),
        "metrics": [f"{address}/metrics" for name in (metrics_of(api), *said) if (address := url(state, name))],
        "workers": {name: {"ready": not problem, "address": url(state, name)} for name, problem in wrong.items()},
        "worker": _together([answer.body for answer in said.values() if answer.ok and isinstance(answer.body, dict)]),
    }


def _together(workers: Sequence[dict[str, Any]]) -> Status | None:
    """What the first says, with every partition's lag, which only the one that reads the partition knows."""
    if not workers:
        return None
    parts = zip(*(worker.get("projections", []) for worker in workers), strict=False)
    projections = [max(same, key=lambda part: part.get("lag") or 0) for same in parts]
    return {**workers[0], "projections": projections}


def _worker_problem(state: State, name: str, said: Answer) -> str | None:
    if not said.ok or not isinstance(said.body, dict):
        return _ended(state, name) or health.reasons(said)
    if said.body.get("stalled"):
        return "; ".join(said.body["stalled"])
    return None if said.body.get("ready") else str(said.body.get("last_error") or "not ready")


def _ended(state: State, name: str) -> str | None:
    """Why a process is not there any more that nobody stopped."""
    if state.find(name) is None or state.is_running(name):
        return None
    words = last_words(state.logs / f"{name}.log")
    return f"it ended by itself ({words})" if words else "it was killed"


def _ready(state: State, name: str, probe: str) -> Status:
    answer = _ask(state, name, f"/health/{probe}")
    return {
        "ready": answer.ok,
        "address": url(state, name),
        "problem": None if answer.ok else health.reasons(answer),
    }


def _ask(state: State, name: str, path: str) -> Answer:
    port = state.port(name)
    return Answer(0, None) if port is None else health.ask(port, path, within=_PATIENCE_SECONDS)


def _postgres(state: State) -> Status:
    server = postgres.running(state.folder / "postgres")
    return {
        "ready": server is not None,
        "address": f"127.0.0.1:{server.port}" if server else "",
        "dsn": server.dsn() if server else "",
    }


def _kafka(state: State) -> Status:
    broker = broker_of(state)
    return {
        "ready": broker is not None and broker.alive() and existing.answers(broker.bootstrap),
        "kind": broker.kind if broker else "",
        "bootstrap": broker.bootstrap if broker else "",
    }


def _show(found: Status, console: Console) -> None:
    table = Table(
        "service", "ready", "relay", "store", "behind", "parked", "stopped", "last error", box=None, pad_edge=False
    )
    for service, said in found["services"].items():
        table.add_row(service, _tick(said["ready"]), *_worker_row(said))
    console.print(table)
    console.print()
    for name in ("postgres", "kafka", "issuer", "payroll"):
        part = found[name]
        console.print(f"{_tick(part['ready'])} {name} {part.get('address') or part.get('bootstrap') or ''}")
    for service, said in found["services"].items():
        address = f"{said['address']}/{service}/v1/" if said["address"] else ""
        console.print(f"{_tick(said['ready'])} {service} {address}")
        for name, worker in [*said["workers"].items()][1:]:
            console.print(f"{_tick(worker['ready'])} {name} {worker['address']}")
        timers = (said["worker"] or {}).get("timers") or {}
        if timers.get("failing"):
            console.print(f"    {timers['failing']} timers fail, {timers['parked']} are parked: `trellis timers list`")
    if not found["ready"]:
        console.print(f"\n{advice(found)} Logs: {found['folder']}/logs", markup=False)


def advice(found: Status) -> str:
    """What to do about what is not ready: what runs needs no starting."""
    if found["stopped"]:
        return f"Not everything runs: {', '.join(found['stopped'])}. Start it: `trellis up`."
    return "Everything runs, and not all of it is ready: on a busy machine it may only be slow. Ask again."


def not_running(state: State) -> list[str]:
    """The processes that were started here, or would be, and do not run now."""
    if state.is_elsewhere:
        return []
    names = dict.fromkeys([*NAMES, *recorded_workers(state)])
    return [name for name in names if not state.is_running(name)]


def _worker_row(said: Status) -> tuple[str, ...]:
    """Relay and store position, events behind, events parked with their cause, stopped partitions, the last error."""
    worker = said["worker"]
    if worker is None:
        return "", "", "", "", "", "; ".join(said["problems"])
    projections: list[dict[str, Any]] = worker.get("projections", [])
    behind = sum(projection.get("lag") or 0 for projection in projections)
    parked = sum({part["name"]: part.get("parked") or 0 for part in projections}.values())
    stopped = [f"{part['name']}/{part['topic']}/{part['partition']}" for part in projections if part.get("stopped")]
    error = "; ".join(said["problems"]) or str(worker.get("last_error") or "")
    return (
        str(worker["relay_position"]),
        str(worker["store_position"]),
        str(behind),
        str(parked),
        ", ".join(stopped),
        error,
    )


def _tick(ready: bool) -> str:  # noqa: FBT001 - one value in, one mark out
    return "[green]yes[/green]" if ready else "[red]no[/red]"
