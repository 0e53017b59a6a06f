"""Settings of the reference payroll, from environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class WrongSetting(ValueError):  # noqa: N818 - named for the fact
    """A setting is missing or impossible; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How payroll reaches Kafka, where it keeps its books, and how it pays.

    `fixed_assignment`: read every partition without a consumer group. `pay_groups` empty: every pay group is known.
    `pay_on_pay_date`: wait for an instruction's pay date; else each pay run pays what was accepted.
    """

    bootstrap: str
    database: Path
    idempotence: bool = True
    fixed_assignment: bool = False
    health_host: str = "127.0.0.1"
    health_port: int | None = None
    pay_groups: frozenset[str] = frozenset()
    pay_on_pay_date: bool = False
    pay_run_seconds: float = 1.0


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings.

    Raises:
        WrongSetting: one is missing or impossible.
    """
    port = environment.get("TRELLIS_PAYROLL_HEALTH_PORT")
    groups = environment.get("TRELLIS_PAYROLL_PAY_GROUPS", "")
    return Settings(
        bootstrap=_required(environment, "TRELLIS_KAFKA_BOOTSTRAP"),
        database=Path(_required(environment, "TRELLIS_PAYROLL_DATABASE")),
        idempotence=_one_of(environment, "TRELLIS_KAFKA_IDEMPOTENCE", "true", "false") == "true",
        fixed_assignment=_one_of(environment, "TRELLIS_KAFKA_ASSIGNMENT", "group", "fixed") == "fixed",
        health_host=environment.get("TRELLIS_PAYROLL_HEALTH_HOST", "127.0.0.1"),
        health_port=_number("TRELLIS_PAYROLL_HEALTH_PORT", port) if port else None,
        pay_groups=frozenset(group.strip() for group in groups.split(",") if group.strip()),
        pay_on_pay_date=_one_of(environment, "TRELLIS_PAYROLL_PAY", "at-once", "on-pay-date") == "on-pay-date",
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    if not (value := environment.get(name)):
        raise WrongSetting(f"{name} is not set")
    return value


def _one_of(environment: Mapping[str, str], name: str, default: str, *others: str) -> str:
    value = environment.get(name, default).lower()
    if value not in (default, *others):
        raise WrongSetting(f"{name} is {value!r}; it must be one of {', '.join((default, *others))}")
    return value


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise WrongSetting(f"{name} is {value!r}; it must be a number")
    return int(value)
