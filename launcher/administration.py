"""What an operator asks of a running service, as its administrator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from launcher.addresses import url
from launcher.failure import LaunchFailed
from launcher.processes import SERVICES
from launcher.state import State
from launcher.token import issue_token
from shared.eventsourcing.identifiers import derived
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId

OPERATOR: Final = PersonId(derived("operator"))
"""Who acts where a person at the command line administers: in the log of forks, for instance."""
_ANSWER_SECONDS: Final = 30.0


def _known(service: str | None) -> str | None:
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service!r}; there are {', '.join(SERVICES)}")
    return service


ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", callback=_known, help=", ".join(SERVICES))]
AnyService = Annotated[str | None, typer.Argument(metavar="[SERVICE]", callback=_known, help="Unset: all of them.")]


@dataclass(frozen=True, slots=True)
class Administration:
    """A service's routes below `/<service>/v1/admin`, called with an administrator's token."""

    folder: Path
    service: str

    def get(self, path: str) -> Any:
        """The answer's body.

        Raises:
            LaunchFailed: the service does not answer, or refuses; the message says why.
        """
        return ask(self.folder, self.service, "GET", f"/admin{path}")

    def post(self, path: str, body: Any = None) -> Any:
        """The answer's body, as `get`."""
        return ask(self.folder, self.service, "POST", f"/admin{path}", body=body)


def ask(folder: Path, service: str, method: str, path: str, *, role: Role = Role.ADMIN, body: Any = None) -> Any:
    """The body that a service answers the operator with; `path` is below `/<service>/v1`.

    Raises:
        LaunchFailed: the service does not answer, or refuses; the message says why.
    """
    state = State(folder)
    address = url(state, f"{service}-api")
    if not state.exists or not address:
        raise LaunchFailed(f"The service {service} was never started in {state.folder}: `trellis up`.")
    headers = {"Authorization": f"Bearer {issue_token(state.folder, OPERATOR, [role])}"}
    try:
        answer = httpx.request(
            method, f"{address}/{service}/v1{path}", json=body, headers=headers, timeout=_ANSWER_SECONDS
        )
    except httpx.ConnectError as error:
        if state.is_elsewhere:
            raise LaunchFailed(f"The service {service} does not answer at {address}: nobody listens there.") from error
        raise LaunchFailed(
            f"The service {service} does not run: nobody listens at {address}. Start everything: `trellis up`. "
            "What runs and what does not: `trellis status`."
        ) from error
    except httpx.HTTPError as error:
        raise LaunchFailed(f"The service {service} does not answer at {address}: {error}.") from error
    if not answer.is_success:
        raise LaunchFailed(f"The service {service} refuses: {_reason(answer)}")
    return answer.json()


def _reason(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
