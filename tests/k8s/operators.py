"""The schemas of KEDA's, CloudNativePG's and External Secrets' kinds, out of their own Go modules; takes Go."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import yaml

from tests.k8s.crd_schemas import write

DEFINITIONS: Final = {
    "github.com/kedacore/keda/v2@v2.21.0": ("config/crd/bases/keda.sh_scaledobjects.yaml",),
    "github.com/cloudnative-pg/cloudnative-pg@v1.28.0": (
        "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
        "config/crd/bases/postgresql.cnpg.io_databases.yaml",
    ),
    "github.com/external-secrets/external-secrets@v1.3.2": (
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
}
"""The files that define the kinds of ours, by the module that holds them."""


def schemas(tools: Path) -> list[Path]:
    """The folders of them, below `tools`; the first call downloads 30 MB. None of them where Go is missing.

    Raises:
        subprocess.CalledProcessError: Go could not fetch a module, and said why.
    """
    go = shutil.which("go")
    return [] if go is None else [_made(go, tools, module, files) for module, files in DEFINITIONS.items()]


def _made(go: str, tools: Path, module: str, files: tuple[str, ...]) -> Path:
    made = tools / module.replace("/", "-")
    if made.is_dir():
        return made
    print(f"   making the schemas of {module}", flush=True)
    tools.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools, prefix="module-") as folder:
        source, written = _fetched(go, module, Path(folder)), Path(folder) / "schemas"
        written.mkdir()
        for file in files:
            write(written, yaml.safe_load((source / file).read_text()))
        written.rename(made)
    return made


def _fetched(go: str, module: str, folder: Path) -> Path:
    """Where Go keeps the module's files."""
    command = (go, "mod", "download", "-json", module)
    return Path(json.loads(subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True).stdout)["Dir"])
