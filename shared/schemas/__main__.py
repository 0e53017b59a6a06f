"""Writes the contract's files: `write` JSON Schemas, `golden NAME FILE` an example's bytes, `records` whole ones."""

import sys
from pathlib import Path

import typer

from shared.schemas.contract import write_golden, write_schemas
from shared.schemas.published import ALL
from shared.schemas.wire import write_records

app = typer.Typer(add_completion=False, help="The published language as files: JSON Schemas and golden bytes.")


@app.command()
def write() -> None:
    """Write shared/schemas/json/<publisher>/<EventName>.v<n>.json for every event that is written today."""
    for event_type in write_schemas(ALL):
        typer.echo(f"wrote {event_type}")


@app.command()
def golden(name: str, example: Path) -> None:
    """Keep EXAMPLE (a JSON file, or - for standard input) as the golden bytes NAME.

    NAME is an event type, such as trellis.goals.GoalSet.v1, or an event type and the case that the example shows,
    such as trellis.goals.GoalSet.v1.team.
    """
    content = sys.stdin.buffer.read() if str(example) == "-" else example.read_bytes()
    try:
        typer.echo(f"wrote {write_golden(ALL, name, content)}")
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command()
def records() -> None:
    """Keep a whole record, with key and headers, of each version that has golden bytes and no record yet."""
    for event_type in write_records():
        typer.echo(f"wrote {event_type}")


if __name__ == "__main__":
    app()
