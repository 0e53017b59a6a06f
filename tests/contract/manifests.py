"""What is deployed, read as data: the compose file, Kubernetes' manifests, and the settings that programs know."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import yaml

from shared.runtime.settings import Settings

REPOSITORY: Final = Path(__file__).parents[2]
DEPLOY: Final = REPOSITORY / "deploy"
KUBERNETES: Final = DEPLOY / "k8s"
COMPOSE: Final = REPOSITORY / "docker-compose.yml"
SERVICES: Final = ("goals", "feedback", "reviews", "rewards")
VARIABLE: Final = re.compile(r"TRELLIS_[A-Z_]+")

Document = Mapping[str, Any]


def documents(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def variables(settings: type[Settings], *, required: bool = False) -> set[str]:
    """The environment variables that a settings class reads; each may also be given as a file."""
    fields = settings.model_fields.items()
    return {f"TRELLIS_{name.upper()}" for name, field in fields if field.is_required() or not required}


def settings_of(service: str) -> type[Settings]:
    """A service's own settings, where it has more than the shared ones."""
    module = f"services.{service}.settings"
    return getattr(import_module(module), "Settings", Settings) if find_spec(module) else Settings


def known_to(service: str) -> set[str]:
    """What may be set for a process of the service."""
    known = variables(settings_of(service))
    return known | {f"{name}_FILE" for name in known}


def payroll_variables() -> set[str]:
    """The reference payroll shares no code with the services: its settings name their variables themselves."""
    return set(VARIABLE.findall((REPOSITORY / "consumers" / "payroll" / "settings.py").read_text()))


def given(environment: Mapping[str, str]) -> set[str]:
    """The settings that an environment gives a value, directly or by a file."""
    return {name.removesuffix("_FILE") if name not in variables(Settings) else name for name in environment}


@cache
def compose() -> Document:
    return documents(COMPOSE)[0]


def compose_services() -> Mapping[str, Document]:
    return compose()["services"]


def pods_of_the_base() -> Iterator[tuple[str, Document]]:
    """Every pod that the base starts for a service, with its component's name."""
    for path in sorted((KUBERNETES / "base" / "service").glob("*.yaml")):
        for document in documents(path):
            if "template" in document.get("spec", {}):
                yield document["metadata"]["name"], document["spec"]["template"]["spec"]


def overlay(name: str) -> Document:
    return documents(KUBERNETES / "overlays" / name / "kustomization.yaml")[0]


def objects_of(name: str) -> list[Document]:
    """What the files of an overlay's own folder declare."""
    folder = KUBERNETES / "overlays" / name
    files = [folder / resource for resource in overlay(name)["resources"] if resource.endswith(".yaml")]
    return [document for file in files for document in documents(file)]


def literals(kustomization: Document) -> dict[str, str]:
    """What the settings' ConfigMap is given."""
    found: dict[str, str] = {}
    for generator in kustomization.get("configMapGenerator", []):
        found |= dict(literal.split("=", 1) for literal in generator["literals"])
    return found


def configured_in(name: str) -> dict[str, str]:
    """The settings of an overlay: the base's, and its own over them."""
    return literals(documents(KUBERNETES / "base" / "kustomization.yaml")[0]) | literals(overlay(name))


def secrets_of(name: str, service: str) -> set[str]:
    """The variables that the service's Secret has in an overlay, generated from files or fetched by reference."""
    generated = [g for g in overlay(name).get("secretGenerator", []) if g["name"] == f"trellis-{service}"]
    fetched = [
        o
        for o in objects_of(name)
        if o["kind"] == "ExternalSecret" and o["spec"]["target"]["name"] == f"trellis-{service}"
    ]
    return {file.split("=")[0] for g in generated for file in g["files"]} | {
        entry["secretKey"] for o in fetched for entry in o["spec"]["data"]
    }
