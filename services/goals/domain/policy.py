"""Policy: what a company may choose in the rules of goals, and what it has chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from pydantic import JsonValue, TypeAdapter

from shared.eventsourcing.decider import RequestBody

Value = TypeVar("Value")

_DECLARED: Final[dict[str, "Option[Any]"]] = {}
"""Filled as the rules' modules are imported, so that a rule and what may be chosen in it stay one file."""


class Option(Generic[Value]):
    """One thing that may be chosen, declared beside the rule that reads it.

    `of` is what pydantic checks a value by. A policy that does not say is read as `default`: a new rule is off by
    default. Neither name nor type ever changes, since policies are kept for ever: another meaning is another option.
    """

    def __init__(self, name: str, of: Any, *, default: Value, means: str) -> None:
        if name in _DECLARED:
            raise ValueError(f"two options are called {name}")
        self.name = name
        self.default = default
        self.means = means
        self._type: TypeAdapter[Value] = TypeAdapter(of)
        _DECLARED[name] = self

    def read(self, written: JsonValue) -> Value:
        """The value that is written so.

        Raises:
            pydantic.ValidationError: it is none of this option.
        """
        return self._type.validate_python(written)

    def write(self, value: Value) -> JsonValue:
        return self._type.dump_python(value, mode="json")

    @property
    def schema(self) -> Mapping[str, Any]:
        """What a value looks like, as JSON Schema."""
        return self._type.json_schema()


def options() -> Mapping[str, Option[Any]]:
    """All options of the rules that are loaded, by name."""
    return MappingProxyType(_DECLARED)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a company has chosen, and the version that says so: `policy[OPTION]` is the option's value."""

    version: str
    chosen: Mapping[str, JsonValue]

    def __getitem__(self, option: Option[Value]) -> Value:
        if option.name not in self.chosen:
            return option.default
        return option.read(self.chosen[option.name])


DEFAULT: Final = Policy(version="default-0", chosen=MappingProxyType({}))
"""In force until a company adopts a policy of its own."""


class UnderPolicy(RequestBody):
    """A command that a person gives: it carries the policy that was in force then, for rules that may be chosen."""

    policy: Policy
