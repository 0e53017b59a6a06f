"""The development issuer: a small process that publishes the keys by which the services prove tokens."""

from argparse import ArgumentParser
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from launcher.issuer_name import ISSUER
from launcher.signing_keys import ALGORITHM, SigningKeys


def issuer_app(folder: Path) -> Starlette:
    """The issuer of this state folder: discovery document, keys, health. It signs nothing: `trellis token` does."""
    keys = SigningKeys(folder)

    async def discovery(request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": ISSUER,
                "jwks_uri": str(request.url_for("published")),
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
            }
        )

    async def published(_request: Request) -> Response:
        return JSONResponse(keys.published(), headers={"Cache-Control": "max-age=60"})

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/jwks.json", published),
            Route("/health/live", live),
        ]
    )


def main() -> None:
    parser = ArgumentParser(prog="python -m launcher.issuer", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the state folder, usually .trellis")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    SigningKeys(asked.folder).newest()
    uvicorn.run(issuer_app(asked.folder), host=asked.host, port=asked.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
