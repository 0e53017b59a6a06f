"""`trellis schemas`: the published contract, held against what was released, and as documents."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from launcher import openapi
from shared.schemas import asyncapi, dictionary
from shared.schemas.published import PUBLISHED, SUBSCRIBERS
from shared.schemas.release import RELEASED, Refusal, Unreleasable, refusals, release

app = typer.Typer(no_args_is_help=True, add_completion=False)
DOCUMENTS: Final = Path("docs")


@app.callback()
def schemas() -> None:
    """Events outlive releases: a change must leave every reader able to read."""


@app.command()
def check() -> None:
    """Compare every event with what was last released; end with 1 if a subscriber would break, and say which."""
    refused = refusals(PUBLISHED)
    _tell(refused)
    number = len(list(RELEASED.rglob("*.json")))
    print(f"{number} released versions of events, {len(refused)} changes that would break a reader")
    raise typer.Exit(1 if refused else 0)


@app.command("release")
def release_() -> None:
    """Keep today's schemas as released: from now on they may only grow."""
    try:
        changed = release(PUBLISHED)
    except Unreleasable as error:
        _tell(error.refused)
        raise typer.Exit(1) from error
    for event_type in changed:
        print(f"released {event_type}")


@app.command()
def documents(folder: Annotated[Path, typer.Argument(help="Where to.", file_okay=False)] = DOCUMENTS) -> None:
    """Write what is generated from the contract: of the topics for programs and for people, of the services' HTTP."""
    for name, content in generated().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
        print(f"wrote {folder / name}")


def generated() -> dict[str, str]:
    """The generated documents: file name and content."""
    return {"asyncapi.json": asyncapi.text(), "events.md": dictionary.text(), **openapi.documents()}


def _tell(refused: list[Refusal]) -> None:
    console = Console(stderr=True, soft_wrap=True)
    for refusal in refused:
        console.print(refusal.told(SUBSCRIBERS), style="red", markup=False, highlight=False)
