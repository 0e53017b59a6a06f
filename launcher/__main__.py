"""The `trellis` command: what there is, and which module does it. A module is imported when its command is called."""

import sys
from importlib import import_module
from typing import Any, Final

import typer
from rich.console import Console
from typer.core import TyperGroup

from launcher.failure import LaunchFailed

# name: (module with a typer `app` of one command or of several, help)
COMMANDS: Final = {
    "up": ("launcher.up", "Start everything that does not run yet; what runs is kept."),
    "down": ("launcher.down", "Stop everything; the data stay."),
    "demo": ("launcher.demo", "A whole performance cycle of the imported company, as its people would."),
    "status": ("launcher.status", "Say what runs, how far behind it is, and where it answers."),
    "people": ("launcher.people", "Import people from an HR export."),
    "token": ("launcher.token", "Print a bearer token, to ask the services by hand as a person of the company."),
    "tail": ("launcher.tail", "Show the events as they come."),
    "reconcile": ("launcher.reconcile", "Compare what was approved with what payroll was told, answered and paid."),
    "projections": ("launcher.projections", "List the read models; rebuild one beside what serves, or go back."),
    "dead-letters": ("launcher.dead_letters", "What could not be applied and why: show it, retry it, give it up."),
    "timers": ("launcher.timers", "Reminders and deadlines: what failed and why; try it again."),
    "clock": ("launcher.clock", "In development: say what time it is for the services, put it forward."),
    "schemas": ("launcher.schemas", "Hold the published contract against what was released."),
    "log": ("launcher.log", "Show each service's log, verify it, refill it, start a new one after a restore."),
}


class _Commands(TyperGroup):
    """Imports a command's module when the command is called, so that `trellis --help` is quick."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in COMMANDS:
            module, _ = COMMANDS[args[0]]
            self.commands[args[0]] = typer.main.get_command(import_module(module).app)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except LaunchFailed as failure:
            Console(stderr=True, soft_wrap=True).print(str(failure), style="red", markup=False, highlight=False)
            sys.exit(1)


app = typer.Typer(
    cls=_Commands, no_args_is_help=True, help="Trellis: event-sourced performance management.", add_completion=False
)


def _registered() -> None:
    """Stands in for a command in the list that `--help` prints."""


for _name, (_, _help) in COMMANDS.items():
    app.command(_name, help=_help)(_registered)

if __name__ == "__main__":
    app()
