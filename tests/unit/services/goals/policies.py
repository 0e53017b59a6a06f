"""Policies for tests: everything by default but one option."""

from typing import TypeVar

from services.goals.domain.policy import DEFAULT, Option, Policy

Value = TypeVar("Value")


def choosing(option: Option[Value], value: Value, *, beside: Policy = DEFAULT) -> Policy:
    """The policy `beside` with one option chosen."""
    return Policy(version="test-1", chosen={**beside.chosen, option.name: option.write(value)})
