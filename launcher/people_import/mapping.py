"""The mapping: which column of an export is which fact, how values are written, and what holds where none is."""

import tomllib
from collections.abc import Mapping as ReadOnly
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from launcher.people_import.problem import FileRefused

Fact: TypeAlias = Literal[
    "employee_number",
    "given_name",
    "family_name",
    "email",
    "manager",
    "team",
    "legal_entity",
    "pay_group",
    "country",
    "job_title",
    "hired_on",
    "left_on",
    "fte",
    "status",
    "base_salary",
    "per",
    "currency",
    "range_minimum",
    "range_maximum",
]
"""What is read of an employee; `manager` is the manager's employee number."""
FACTS: Final[tuple[Fact, ...]] = get_args(Fact)
REQUIRED: Final[tuple[Fact, ...]] = ("employee_number", "family_name", "manager", "hired_on")
"""Without these columns a file is no export of employees."""
INDISPENSABLE: Final[tuple[Fact, ...]] = ("country", "legal_entity", "pay_group")
"""Nobody is without these either; a mapping may give them where a file has no such column."""

_NO_VALUE: Final = ("-", "NULL", "null", "N/A", "n/a", "#N/A")
_NEVER_A_PLACEHOLDER: Final[frozenset[Fact]] = frozenset({"given_name", "family_name"})
"""There are people called Null."""


class Mapping(BaseModel):
    """A mapping file (TOML). Column names are compared without case and surrounding blanks.

    `values` translates what an export writes; `by_country` fills what is still empty from the row's country.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    date_formats: tuple[str, ...] = ()
    decimal_separator: Literal[".", ","] = "."
    no_value: tuple[str, ...] = _NO_VALUE
    columns: ReadOnly[Fact, str] = Field(default_factory=dict[Fact, str])
    defaults: ReadOnly[Fact, str] = Field(default_factory=dict[Fact, str])
    values: ReadOnly[Fact, ReadOnly[str, str]] = Field(default_factory=dict[Fact, ReadOnly[str, str]])
    by_country: ReadOnly[Fact, ReadOnly[str, str]] = Field(default_factory=dict[Fact, ReadOnly[str, str]])

    def column_names(self) -> ReadOnly[Fact, str]:
        """The column of each fact; without any, an export is expected to use the facts' own names."""
        return self.columns or {fact: fact for fact in FACTS}

    def required(self) -> frozenset[Fact]:
        """The facts whose columns a file must have: all that the mapping names, else the indispensable ones."""
        return frozenset(self.columns or REQUIRED)

    def gives(self, fact: Fact) -> bool:
        """Whether it may say something of the fact where there is no column."""
        return fact in self.defaults or fact in self.by_country or "" in self.values.get(fact, {})

    def value(self, fact: Fact, cell: str, *, country: str = "") -> str:
        """What the cell says of the fact; empty: nothing is known."""
        text = "" if cell in self.no_value and fact not in _NEVER_A_PLACEHOLDER else cell
        text = self.values.get(fact, {}).get(text, text) or self.defaults.get(fact, "")
        return text or self.by_country.get(fact, {}).get(country, "")


def load(file: Path) -> Mapping:
    """The mapping in a TOML file.

    Raises:
        FileRefused: it is not there, no TOML, or no mapping; the message names the place.
    """
    try:
        mapping = Mapping.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise FileRefused(f"The mapping {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileRefused(f"The mapping {file} is no TOML: {error}.") from error
    except ValidationError as error:
        raise FileRefused(f"The mapping {file} is not right:\n{_explained(error)}") from error
    return _with_indispensable_columns(mapping, file)


def _with_indispensable_columns(mapping: Mapping, file: Path) -> Mapping:
    unmapped = [fact for fact in REQUIRED if mapping.columns and fact not in mapping.columns]
    if unmapped:
        raise FileRefused(f"The mapping {file} names no column for: {', '.join(unmapped)}. Add them to its [columns].")
    return mapping


def _explained(error: ValidationError) -> str:
    return "\n".join(f"  {'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())


def beside(source: Path) -> Path | None:
    """The mapping that lies beside a file under the same name, if there is one."""
    candidate = source.with_suffix(".toml")
    return candidate if candidate.is_file() else None
