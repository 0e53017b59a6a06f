"""The development issuer, served to a test run, and the tokens that it stands for."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from launcher.issuer.application import issuer_app
from launcher.token import ISSUER, issue_token
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId


@dataclass(frozen=True, slots=True)
class Issuer:
    folder: Path
    address: str

    @property
    def name(self) -> str:
        """The `iss` of its tokens."""
        return ISSUER

    @property
    def jwks_url(self) -> str:
        return f"{self.address}/jwks.json"

    def token(self, person: PersonId, roles: Iterable[Role]) -> str:
        """A token for the person."""
        return issue_token(self.folder, person, roles)


@asynccontextmanager
async def issuing(folder: Path) -> AsyncGenerator[Issuer]:
    """An issuer that answers as long as the block."""
    async with serving(issuer_app(folder)) as address:
        yield Issuer(folder, address)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[str]:
    """The application on a port of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()
