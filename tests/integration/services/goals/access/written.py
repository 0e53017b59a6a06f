"""The page on access, read as HR reads it: what it says about a role and a relation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.runtime.authorization import READ, Relation
from shared.runtime.caller import Role
from tests.contract.access_page import PAGE, YES

_ALSO_EMPLOYED: Final = {Role.MANAGER, Role.HR}
_SEEN, _DONE = "Who sees a goal", "What may be done with a goal of level "
Row = Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Written:
    """`who`: role and relation of each column; `tables`: by heading and name of the row, what each column says."""

    who: Mapping[str, tuple[Role, Relation]]
    tables: Mapping[str, Mapping[str, Row]]

    def row(self, thing: str, variant: str, action: str) -> Row | None:
        """The row on doing this with a thing of this variant; None where the page has none."""
        if thing != "goal":
            return self.tables.get(f"{thing}, {variant}" if variant else thing, {}).get(action)
        if action == READ:
            return self.tables[_SEEN][variant]
        return self.tables[_DONE + variant.split(",", maxsplit=1)[0]].get(action)

    def allows(self, row: Row | None, role: Role, relation: Relation | None) -> bool:
        """Whether some column that fits a caller with this one role and this one relation says yes."""
        roles = {role, Role.EMPLOYEE} if role in _ALSO_EMPLOYED else {role}
        fitting = (who for who, (r, rel) in self.who.items() if r in roles and rel in (Relation.ANY, relation))
        return row is not None and any(row[who] for who in fitting)


def read() -> Written:
    """What docs/goals-access.md says."""
    tables = {part.partition("\n")[0]: _rows(part) for part in PAGE.read_text().split("\n## ")}
    legend = next(rows for heading, rows in tables.items() if heading.startswith("# "))
    who = {name: (Role(columns["Role"]), Relation(columns["Relation"])) for name, columns in legend.items()}
    answers = {heading: _yes_or_no(rows) for heading, rows in tables.items() if rows is not legend}
    return Written(who, answers)


def _rows(part: str) -> dict[str, dict[str, str]]:
    lines = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines]
    head, _, *rows = cells
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def _yes_or_no(rows: Mapping[str, Mapping[str, str]]) -> dict[str, Row]:
    return {name: {who: said == YES for who, said in row.items()} for name, row in rows.items()}
