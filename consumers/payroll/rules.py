"""Why payroll rejects an instruction: one table of codes and conditions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from shared.schemas.rewards import PaymentInstructionIssued

Condition: TypeAlias = Callable[["Known", PaymentInstructionIssued], bool]


@dataclass(frozen=True, slots=True)
class Known:
    """What payroll knows when an instruction comes: its pay groups (none: any), and what came for this payment."""

    pay_groups: frozenset[str]
    newest_version: int
    already_accepted: bool


def _older(known: Known, instruction: PaymentInstructionIssued) -> bool:
    return instruction.version < known.newest_version


def _accepted(known: Known, _instruction: PaymentInstructionIssued) -> bool:
    return known.already_accepted


def _unknown_group(known: Known, instruction: PaymentInstructionIssued) -> bool:
    return bool(known.pay_groups) and instruction.pay_group not in known.pay_groups


def _not_positive(_known: Known, instruction: PaymentInstructionIssued) -> bool:
    return instruction.amount.minor <= 0


def _wrong_sum(_known: Known, instruction: PaymentInstructionIssued) -> bool:
    currencies = {part.amount.currency for part in instruction.components}
    total = sum(part.amount.minor for part in instruction.components)
    return currencies != {instruction.amount.currency} or total != instruction.amount.minor


def _not_approved(_known: Known, instruction: PaymentInstructionIssued) -> bool:
    return instruction.person in {approval.who for approval in instruction.approvals} or not instruction.approvals


RULES: Final[Sequence[tuple[str, Condition]]] = (
    ("older-version", _older),
    ("already-accepted", _accepted),
    ("unknown-pay-group", _unknown_group),
    ("amount-not-positive", _not_positive),
    ("components-do-not-add-up", _wrong_sum),
    ("not-approved-by-another", _not_approved),
)


ANOTHER_INSTRUCTION: Final = "another-instruction-of-this-version"
"""The code of a version that came before with other money or for somebody else, as after a restore."""


def pays(instruction: PaymentInstructionIssued) -> tuple[object, ...]:
    """Whom the instruction pays, and what; who approved it, and when, may be said anew."""
    return instruction.person, instruction.amount, instruction.components


def rejection_code(known: Known, instruction: PaymentInstructionIssued) -> str | None:
    """The first rule that the instruction breaks; none: it is accepted."""
    return next((code for code, broken in RULES if broken(known, instruction)), None)
