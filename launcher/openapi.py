"""What each service answers over HTTP, as an OpenAPI 3.1 document: made from the routes, without anything that runs."""

import json
from importlib import import_module
from typing import Any, Final

from fastapi import FastAPI
from pydantic import SecretBytes

from launcher.issuer.name import ISSUER
from launcher.processes import SERVICES
from shared.runtime.process import create_service_api
from shared.runtime.service import Runtime
from shared.runtime.settings import MASTER_KEY_BYTES, Settings

_NOWHERE: Final = "postgresql+asyncpg://nobody@127.0.0.1:1/none"
"""An engine connects when it is first used, and a document uses none."""


def documents() -> dict[str, str]:
    """The committed documents: `openapi/<service>.json` and its text."""
    return {f"openapi/{service}.json": _text(document(service)) for service in SERVICES}


def _text(described: dict[str, Any]) -> str:
    """The paths in the routes' order; the schemas by name, whatever was built before."""
    components = described["components"]
    sorted_ = components | {"schemas": dict(sorted(components["schemas"].items()))}
    return json.dumps(described | {"components": sorted_}, indent=1, ensure_ascii=False) + "\n"


def document(service: str) -> dict[str, Any]:
    """What the service's `/<service>/v1/openapi.json` answers."""
    return application(service).openapi()


def application(service: str) -> FastAPI:
    """The service's HTTP application, which answers what needs neither a database nor a broker."""
    settings = Settings(
        database_url=_NOWHERE,
        keys_database_url=_NOWHERE,
        master_key=SecretBytes(bytes(MASTER_KEY_BYTES)),
        kafka_bootstrap="127.0.0.1:1",
        issuer=ISSUER,
        jwks_url="http://127.0.0.1:1/jwks.json",
    )
    runtime = Runtime(import_module(f"services.{service}.app").SERVICE, settings)
    return create_service_api(runtime)
