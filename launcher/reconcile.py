"""`trellis reconcile`: what was approved against what payroll was told, answered and paid."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from launcher.administration import ask
from launcher.state import DEFAULT_FOLDER, Folder
from launcher.target import Target, folder_of
from shared.runtime.caller import Role

app = typer.Typer(add_completion=False)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON: GET /rewards/v1/reconciliation.")]
_SUMS: Final = ("approved", "issued", "accepted", "rejected", "pending", "paid")
_DIFFERENCES: Final = ("approved_minus_issued", "issued_minus_answered", "paid_beyond_accepted", "difference")
_MISMATCH: Final = ("payment", "reason", "approved", "issued", "currency", "detail")


@app.command()
def reconcile(folder: Folder = DEFAULT_FOLDER, *, target: Target = None, as_json: AsJson = False) -> None:
    """Approved = issued = accepted + rejected + pending, paid <= accepted: per currency, in minor units.

    Lists every payment that does not match. Ends with 1 unless every difference is 0 and every payment matches.
    """
    found = ask(folder_of(folder, target), "rewards", "GET", "/reconciliation", role=Role.PAYROLL)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _show(found, Console(highlight=False))
    raise typer.Exit(1 if found["difference"] or found["mismatches"] else 0)


def _show(found: Mapping[str, Any], console: Console) -> None:
    if found["currencies"]:
        console.print(sums(found))
    console.print(f"difference {found['difference']}; {len(found['mismatches'])} payments do not match")
    if found["mismatches"]:
        table = Table(*_MISMATCH, title="Payments that do not match", title_justify="left", title_style="bold")
        for mismatch in found["mismatches"]:
            table.add_row(*("" if mismatch[name] is None else str(mismatch[name]) for name in _MISMATCH))
        console.print(table)


def sums(reconciled: Mapping[str, Any]) -> Table:
    """A row for each sum and each difference, a column for each currency."""
    lines = reconciled["currencies"]
    table = Table(title="Reconciled, in minor units", title_justify="left", title_style="bold")
    table.add_column("sum")
    for line in lines:
        table.add_column(line["currency"], justify="right")
    for name in _SUMS:
        table.add_row(name, *(f"{line[name]:,}" for line in lines))
    table.add_section()
    for name in _DIFFERENCES:
        style = "bold" if name == "difference" else None
        table.add_row(name.replace("_", " "), *(f"{line[name]:,}" for line in lines), style=style)
    return table
