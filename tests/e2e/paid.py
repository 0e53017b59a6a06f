"""Payroll's own books against the rewards that were approved: each paid once, to the minor unit."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.schemas.money import Money
from shared.schemas.payroll import InstructionPaid
from shared.schemas.rewards import PaymentInstructionIssued, RewardGranted
from tests.e2e.stored import EventLog


@dataclass(frozen=True, slots=True)
class Paid:
    """What payroll has paid: amounts in minor units and currency by payment, and how often each was answered so."""

    payments: Mapping[str, tuple[int, str]]
    answers: Mapping[str, int]


def books_of(folder: Path) -> Paid:
    """Payroll's database file, as another program reads it."""
    with closing(sqlite3.connect(f"file:{folder / 'payroll' / 'payroll.sqlite'}?mode=ro", uri=True)) as books:
        payments = books.execute("select payment, minor, currency from payments_made").fetchall()
        answers = books.execute("select payment from answers where type = ?", (InstructionPaid.event_type,)).fetchall()
    assert len(payments) == len({payment for payment, _, _ in payments})
    paid = {payment: (minor, currency) for payment, minor, currency in payments}
    return Paid(paid, Counter(payment for (payment,) in answers))


def every_instruction_is_paid_once(rewards: EventLog, paid: Paid) -> int:
    """What rewards issued is what payroll paid, each payment once; how many there are."""
    issued: dict[str, tuple[int, str]] = {}
    for data in _data(rewards, PaymentInstructionIssued.event_type):
        amount = Money.model_validate(data["amount"])
        assert data["payment_id"] not in issued, "a payment was issued twice"
        issued[data["payment_id"]] = (amount.minor, amount.currency)
    assert paid.payments == issued
    assert paid.answers == dict.fromkeys(issued, 1)
    assert len(_data(rewards, RewardGranted.event_type)) == len(issued)
    return len(issued)


def _data(log: EventLog, event_type: str) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in log.events if event.type == event_type]
