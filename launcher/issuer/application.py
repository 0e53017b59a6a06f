"""What the development issuer answers: a discovery document and the keys by which the services prove tokens."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from launcher.issuer.name import ISSUER
from launcher.issuer.signing_keys import ALGORITHM, SigningKeys


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
            Route("/health/ready", live),
        ]
    )
