"""What the ecosystem's own validators say of the generated documents."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from launcher.schemas import generated

DOCUMENTS: Final = generated()
PARSER: Final = "@asyncapi/parser@3.6.0"
LINTER: Final = "@stoplight/spectral-cli@6.16.3"
RULES: Final = Path(__file__).with_name("spectral.yaml")
PARSE: Final = """
import { Parser } from '@asyncapi/parser'
import { readFileSync } from 'node:fs'
const { diagnostics, document } = await new Parser().parse(readFileSync('asyncapi.json', 'utf8'))
for (const { code, message, path } of diagnostics) console.log(code, message, path.join('/'))
console.log(document ? document.allMessages().length : 'not a document')
"""


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith("openapi/")])
def test_openapi_is_valid(name: str) -> None:
    document = json.loads(DOCUMENTS[name])
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no Node.js")
def test_asyncapi_is_valid(tmp_path: Path) -> None:
    (tmp_path / "asyncapi.json").write_text(DOCUMENTS["asyncapi.json"])
    (tmp_path / "parse.mjs").write_text(PARSE)
    _install(PARSER, tmp_path)
    parse = ["node", "parse.mjs"]
    said = subprocess.run(parse, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    messages = json.loads(DOCUMENTS["asyncapi.json"])["components"]["messages"]
    assert said.split() == [str(len(messages))]


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no Node.js")
def test_a_linter_finds_nothing_in_the_documents(tmp_path: Path) -> None:
    for name in (names := [name for name in DOCUMENTS if name.endswith(".json")]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(DOCUMENTS[name])
    _install(LINTER, tmp_path)
    assert _linted(tmp_path, names) == "No results with a severity of 'warn' or higher found!\n"
    document = json.loads(DOCUMENTS[names[0]])
    (tmp_path / names[0]).write_text(json.dumps(document | {"info": {"title": "Trellis", "version": "1"}}))
    assert "info-description" in _linted(tmp_path, names[:1])


def _linted(folder: Path, names: list[str]) -> str:
    lint = ["node_modules/.bin/spectral", "lint", "--ruleset", str(RULES), "--fail-severity", "warn", *names]
    return subprocess.run(lint, cwd=folder, capture_output=True, text=True, check=False).stdout


def _install(package: str, folder: Path) -> None:
    install = ["npm", "install", "--silent", "--no-package-lock", "--ignore-scripts", package]
    subprocess.run(install, cwd=folder, check=True)
