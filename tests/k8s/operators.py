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
    """The folders of them, below `tools`; the first call downloads 30 MB. Those are left out that Go cannot fetch."""
    return [folder for module, files in DEFINITIONS.items() if (folder := _made(tools, module, files)) is not None]


def _made(tools: Path, module: str, files: tuple[str, ...]) -> Path | None:
    made = tools / module.replace("/", "-")
    if made.is_dir():
        return made
    tools.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools, prefix="module-") as folder:
        source, written = _fetched(module, Path(folder)), Path(folder) / "schemas"
        if source is None:
            return None
        print(f"   making the schemas of {module}", flush=True)
        written.mkdir()
        for file in files:
            write(written, yaml.safe_load((source / file).read_text()))
        written.rename(made)
    return made


def _fetched(module: str, folder: Path) -> Path | None:
    """Where Go keeps the module's files; None, and why is printed: it has none."""
    go = shutil.which("go")
    if go is None:
        print(f"   no Go to fetch {module} with: its kinds are skipped")
        return None
    said = subprocess.run(
        [go, "mod", "download", "-json", module], cwd=folder, capture_output=True, text=True, check=False
    )
    told = json.loads(said.stdout or "{}")
    if said.returncode != 0:
        print(f"   {module} cannot be fetched, its kinds are skipped: {told.get('Error', said.stderr)}")
        return None
    return Path(told["Dir"])
