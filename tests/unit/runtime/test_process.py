"""How a service's process ends when it cannot do what it was asked: a line that says why, and an exit code."""

import base64
import os
import subprocess
import sys
from pathlib import Path

from launcher.process import free_port

REPOSITORY = Path(__file__).parents[3]


def run(role: str, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TRELLIS_")}
    return subprocess.run(
        [sys.executable, "-m", "services.goals", role],
        cwd=REPOSITORY,
        env={**clean, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_role_that_does_not_exist_is_refused_with_those_that_do() -> None:
    result = run("sing")
    assert result.returncode == 2
    assert "usage: python -m services.goals [api|worker|all|migrate|migrated|verify|refill|rewrap]" in result.stderr


def test_each_missing_setting_is_named() -> None:
    result = run("api")
    assert result.returncode == 2
    assert "TRELLIS_DATABASE_URL: Field required" in result.stderr
    assert "TRELLIS_MASTER_KEY: Field required" in result.stderr


def test_a_migration_that_reaches_no_database_says_so_in_one_line_and_not_the_password() -> None:
    nobody = f"postgresql+asyncpg://goals:hunter2@127.0.0.1:{free_port()}/goals"
    result = run(
        "migrate",
        TRELLIS_DATABASE_URL=nobody,
        TRELLIS_KEYS_DATABASE_URL=nobody,
        TRELLIS_MASTER_KEY=base64.b64encode(bytes(32)).decode(),
        TRELLIS_KAFKA_BOOTSTRAP="127.0.0.1:1",
        TRELLIS_ISSUER="https://issuer.example",
        TRELLIS_JWKS_URL="https://issuer.example/jwks.json",
    )
    assert result.returncode == 1
    assert "migration.failed" in result.stderr.splitlines()[-1]
    assert "Connect call failed" in result.stderr.splitlines()[-1]
    assert "hunter2" not in result.stderr
    assert "Traceback" not in result.stderr
