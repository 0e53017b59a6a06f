"""The locks, one each for development, images and benchmarks: written from pyproject.toml, checked against it offline.

The first line of a lock is a digest of what it was resolved from, so that a forgotten `make lock` is found offline.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = {
    "requirements.lock": ["--extra=analytics", "--extra=embedded", "--extra=development"],
    "deploy/requirements.lock": ["--constraint=requirements.lock"],
    "benchmarks/requirements.lock": ["--extra=benchmarks", "--constraint=requirements.lock"],
}
UV = str(Path(sys.executable).with_name("uv"))
COMPILE = [
    *("pip", "compile", "pyproject.toml", "--quiet", "--universal", "--python-version=3.11"),
    *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"),
]


def stamp() -> str:
    """The digest line: over every section of pyproject.toml that a dependency may be declared in."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = declared["project"]
    sections = [
        project["requires-python"],
        project["dependencies"],
        project["optional-dependencies"],
        declared["build-system"]["requires"],
    ]
    return f"# dependencies of pyproject.toml: sha256:{hashlib.sha256(json.dumps(sections).encode()).hexdigest()}"


def write(*options: str) -> None:
    """Resolve again; what is locked stays as it is unless `options` say otherwise (`--upgrade`)."""
    for lock, extras in LOCKS.items():
        subprocess.run([UV, *COMPILE, *extras, f"--output-file={lock}", *options], cwd=ROOT, check=True)
        path = ROOT / lock
        path.write_text(f"{stamp()}\n{path.read_text()}")


def faults(lock: str) -> list[str]:
    """What is wrong with one lock."""
    text = (ROOT / lock).read_text()
    first, _, rest = text.partition("\n")
    requirements = re.split(r"\n(?=\S)", rest.strip())
    found: list[str] = []
    if first != stamp():
        found.append("it was not made from this pyproject.toml: run `make lock`")
    if re.search(r"://|--(extra-)?index-url|--find-links", text):
        found.append("it names a package index")
    found.extend(f"no hash: {line}" for line in requirements if "--hash=sha256:" not in line)
    return [f"{lock}: {fault}" for fault in found]


def check() -> None:
    """Exit with 1 and say why, if a lock is stale or unsafe."""
    found = [fault for lock in LOCKS for fault in faults(lock)]
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", *options]:
            write(*options)
        case ["check"]:
            check()
        case _:
            sys.exit("lock.py write [--upgrade] | check")
