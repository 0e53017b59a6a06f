"""`python -m tests.k8s.crd_schemas FOLDER CRD.yaml...`: the kinds of operators as kubeconform reads them."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml


def closed(schema: Any) -> Any:
    """The same schema, in which a field that is not declared is an error."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    open_ended = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not open_ended:
        found["additionalProperties"] = False
    return found


def write(folder: Path, definition: Any) -> None:
    """One file a version, named as kubeconform asks for it: KIND-GROUP-VERSION.json, of the group its first word."""
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = closed(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        name = f"{spec['names']['kind'].lower()}-{spec['group'].split('.')[0]}-{version['name']}.json"
        (folder / name).write_text(json.dumps(schema))


def main() -> None:
    folder, *files = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        for definition in yaml.safe_load_all(file.read_text()):
            if definition and definition["kind"] == "CustomResourceDefinition":
                write(folder, definition)


if __name__ == "__main__":
    main()
