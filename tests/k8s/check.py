"""`make k8s-check`: every overlay rendered, held against the schemas of Kubernetes, and looked at by kube-score."""

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.k8s import operators, strimzi

REPOSITORY: Final = Path(__file__).parents[2]
TOOLS: Final = REPOSITORY / ".venv" / "k8s"
OVERLAYS: Final = ("development", "production", "operators")
KUBERNETES: Final = "1.34.0"
_FETCHED: Final = "default"
"""kubeconform's word for the schemas of Kubernetes, which it fetches."""
_IN_A_FOLDER: Final = "{{.ResourceKind}}{{.KindSuffix}}.json"
MODULES: Final = {
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0",
    "kube-score": "github.com/zegl/kube-score/cmd/kube-score@v1.20.0",
}
_PASSED_OVER: Final = {
    "container-image-pull-policy": "tags are of a release and never move",
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints spread them, over zones too",
}
_PASSED_OVER_IN_DEVELOPMENT: Final = {
    "deployment-replicas": "one of each is what it is for",
    "deployment-strategy": "payroll and the issuer are one process each",
    "statefulset-has-host-podantiaffinity": "one of each",
    "statefulset-has-poddisruptionbudget": "one of each",
    "statefulset-replicas": "one of each",
    "statefulset-has-servicename": "PostgreSQL and Kafka are reached by an ordinary Service: they are one each",
    "pod-probes": "servers of one: a liveness probe would end what is busy recovering",
    "container-security-context-user-group-id": "the images' own users, PostgreSQL's 999 and Kafka's 1000",
    "container-security-context-readonlyrootfilesystem": "Kafka's image writes its configuration at its start",
}


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs by their names: those of the PATH, else those that Go installed here."""

    folder: Path = TOOLS

    def of(self, name: str) -> str:
        """Where the program is.

        Raises:
            SystemExit: it is not there, and cannot be installed.
        """
        own = self.folder / name
        found = shutil.which(name) or (str(own) if own.exists() else None)
        return found or self._installed(name)

    def _installed(self, name: str) -> str:
        if shutil.which("go") is None:
            sys.exit(f"{name} is not there, and no Go to install it with: go install {MODULES[name]}")
        print(f"   installing {MODULES[name]}", flush=True)
        environment = {**os.environ, "GOBIN": str(self.folder), "CGO_ENABLED": "0"}
        subprocess.run(["go", "install", MODULES[name]], env=environment, check=True)
        return str(self.folder / name)


def rendered(tools: Tools, overlay: str) -> str:
    folder = REPOSITORY / "deploy" / "k8s" / "overlays" / overlay
    return subprocess.run(
        [tools.of("kustomize"), "build", str(folder)], capture_output=True, text=True, check=True
    ).stdout


def fits_the_schemas(tools: Tools, manifests: str, places: list[str]) -> bool:
    """Unknown fields are refused too. Kinds of which there is no schema are counted as skipped."""
    where = [word for place in places for word in ("-schema-location", place)]
    command = [tools.of("kubeconform"), "-strict", "-summary", "-ignore-missing-schemas", *where]
    return (
        subprocess.run(
            [*command, "-kubernetes-version", KUBERNETES], input=manifests, text=True, check=False
        ).returncode
        == 0
    )


def is_scored_well(tools: Tools, manifests: str, overlay: str) -> bool:
    passed_over = _PASSED_OVER | (_PASSED_OVER_IN_DEVELOPMENT if overlay == "development" else {})
    options = [word for name in passed_over for word in ("--ignore-test", name)]
    command = [tools.of("kube-score"), "score", "--ignore-container-cpu-limit", "--output-format", "ci", *options, "-"]
    said = subprocess.run(command, input=manifests, capture_output=True, text=True, check=False).stdout.splitlines()
    wrong = [line for line in said if line.startswith(("[CRITICAL]", "[WARNING]"))]
    print(
        f"   kube-score: {sum(line.startswith('[OK]') for line in said)} passed, {len(wrong)} not", *wrong, sep="\n   "
    )
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.k8s.check", description=__doc__)
    parser.add_argument("--schemas", help="a folder of JSON schemas; unset: kubeconform fetches them")
    asked, tools, well = parser.parse_args(), Tools(), True
    of_strimzi, of_others = strimzi.schemas(tools.folder), operators.schemas(tools.folder)
    if of_strimzi is None:
        print("   no Java and Maven to make the schemas of Strimzi with: its kinds are skipped")
    places = [f"{folder}/{_IN_A_FOLDER}" for folder in (asked.schemas, of_strimzi, *of_others) if folder]
    if not asked.schemas:
        places.insert(0, _FETCHED)
    for overlay in OVERLAYS:
        print(f"== {overlay}", flush=True)
        manifests = rendered(tools, overlay)
        well &= fits_the_schemas(tools, manifests, places)
        well &= is_scored_well(tools, manifests, overlay)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
