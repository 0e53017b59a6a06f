"""A service's event schemas over HTTP, for anybody: what `ce_dataschema` names behind `trellis:`."""

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.runtime.problems import not_found
from shared.schemas.contract import SCHEMAS, type_of_schema
from shared.schemas.event import schema_uri

SCHEMA_MEDIA_TYPE: Final = "application/schema+json"
_FOR_A_DAY: Final = "public, max-age=86400"


def schema_routes(base_path: str) -> list[Route]:
    """`<base_path>/schemas` lists them, `<base_path>/schemas/<EventName>.v<n>.json` is one; neither needs a token."""

    async def listed(request: Request) -> Response:
        return _answer(request, _list(base_path), "application/json")

    async def one(request: Request) -> Response:
        name = request.path_params["name"]
        if (schema := schemas_of(base_path).get(name)) is None:
            raise not_found("schema", name[:100])
        return _answer(request, schema, SCHEMA_MEDIA_TYPE)

    return [Route(f"{base_path}/schemas", listed), Route(f"{base_path}/schemas/{{name}}", one)]


@cache
def schemas_of(base_path: str) -> Mapping[str, bytes]:
    """The committed files that are served below the path, by name; every version that was ever published."""
    places = {file: schema_uri(type_of_schema(file)) for file in sorted(SCHEMAS.rglob("*.json"))}
    below = f"trellis:{base_path}/schemas/"
    return {uri.removeprefix(below): file.read_bytes() for file, uri in places.items() if uri.startswith(below)}


@cache
def _list(base_path: str) -> bytes:
    items = [{"name": name, "href": f"{base_path}/schemas/{name}"} for name in schemas_of(base_path)]
    return json.dumps({"items": items}).encode()


def _answer(request: Request, content: bytes, media_type: str) -> Response:
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": _FOR_A_DAY}
    if request.headers.get("If-None-Match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
