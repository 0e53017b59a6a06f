"""Payroll's own books in one SQLite file: instructions, answers, payments made, and how far the topic was read.

Whatever belongs together is written in one transaction: an instruction, its answer and the checkpoint behind it; a
payment and its answer. An answer is recorded first and published later, as often as needed, byte for byte the same.
"""

import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid5

from consumers.payroll.rules import ANOTHER_INSTRUCTION, Known, pays, rejection_code
from shared.schemas.event import encode
from shared.schemas.identifiers import PaymentId
from shared.schemas.payroll import InstructionAccepted, InstructionPaid, InstructionRejected
from shared.schemas.rewards import PaymentInstructionIssued

Answer: TypeAlias = InstructionAccepted | InstructionRejected | InstructionPaid

_ANSWERS: Final = UUID("0b9b7a34-6f3e-5f0c-9a53-6d1f4d2c7e11")
_TABLES: Final = """
    create table if not exists checkpoints (
      topic text not null, partition integer not null, log_id text, position integer not null,
      next_offset integer not null, primary key (topic, partition));
    create table if not exists instructions (
      payment text not null, version integer not null, data text not null, pay_date text not null,
      received_at text not null, accepted integer not null, primary key (payment, version));
    create table if not exists payments_made (
      payment text primary key, version integer not null, minor integer not null, currency text not null,
      run_reference text not null, paid_on text not null);
    create table if not exists answers (
      number integer primary key autoincrement, id text not null unique, payment text not null,
      type text not null, data text not null, recorded_at text not null, published integer not null default 0);
    create index if not exists answers_to_publish on answers (number) where published = 0;
    create table if not exists pay_runs (number integer primary key autoincrement, started_at text not null);
    create table if not exists dead_letters (
      topic text not null, partition integer not null, "offset" integer not null, cause text not null, value blob,
      primary key (topic, partition, "offset"));
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a partition was read: the log followed (none: not yet), the position applied, and where to read on."""

    log_id: UUID | None = None
    position: int = 0
    next_offset: int = 0


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """An answer as it is published: the same id, time and bytes each time."""

    number: int
    id: UUID
    payment: PaymentId
    type: str
    data: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """What the books hold."""

    instructions: int
    accepted: int
    paid: int
    answers: int
    unpublished: int
    dead_letters: int


def now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


class Books:
    """The file. Its methods are to be called inside `transaction`, from one thread."""

    def __init__(self, file: Path, *, pay_groups: frozenset[str] = frozenset()) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._pay_groups = pay_groups
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=10)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All of it or nothing; another process that has the file open waits."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def checkpoint(self, topic: str, partition: int) -> Checkpoint:
        row = self._one(
            "select log_id, position, next_offset from checkpoints where topic = ? and partition = ?", topic, partition
        )
        return Checkpoint() if row is None else Checkpoint(UUID(row[0]) if row[0] else None, row[1], row[2])

    def move(self, topic: str, partition: int, to: Checkpoint) -> None:
        self._connection.execute(
            "insert or replace into checkpoints values (?, ?, ?, ?, ?)",
            (topic, partition, str(to.log_id) if to.log_id else None, to.position, to.next_offset),
        )

    def follow_new_log(self) -> None:
        """Read from the beginning again, whichever log it is; what was answered stays answered."""
        self._connection.execute("delete from checkpoints")

    def receive(self, instruction: PaymentInstructionIssued) -> None:
        """Record the instruction and its answer; one that came before gets its recorded answers again.

        One that says another thing than what came before under its number is rejected: one version is one payment.
        """
        payment = str(instruction.payment_id)
        query = "select data from instructions where payment = ? and version = ?"
        if (before := self._one(query, payment, instruction.version)) is not None:
            self._answer_again(instruction, PaymentInstructionIssued.model_validate_json(before[0]))
            return
        code = rejection_code(self._known(payment), instruction)
        self._connection.execute(
            "insert into instructions values (?, ?, ?, ?, ?, ?)",
            (
                payment,
                instruction.version,
                encode(instruction),
                instruction.pay_date.isoformat(),
                now().isoformat(),
                code is None,
            ),
        )
        self._record(_accepted(instruction) if code is None else _rejected(instruction, code))

    def _answer_again(self, instruction: PaymentInstructionIssued, before: PaymentInstructionIssued) -> None:
        if pays(instruction) == pays(before):
            again = "update answers set published = 0 where payment = ?"
            self._connection.execute(again, (str(instruction.payment_id),))
            return
        self._record(_rejected(instruction, ANOTHER_INSTRUCTION))

    def _known(self, payment: str) -> Known:
        row = self._one("select max(version), max(accepted) from instructions where payment = ?", payment)
        newest, accepted = row or (None, None)
        return Known(self._pay_groups, newest or 0, bool(accepted))

    def run_payroll(self, *, due_by: date | None) -> int:
        """Pay what was accepted, due by a day (none: all), each payment once, and record that; how many were paid."""
        due = self._connection.execute(
            "select data from instructions where accepted and payment not in (select payment from payments_made)"
            "and (? is null or pay_date <= ?) order by payment",
            (due_by and due_by.isoformat(), due_by and due_by.isoformat()),
        ).fetchall()
        if not due:
            return 0
        started = now()
        number = self._connection.execute("insert into pay_runs (started_at) values (?)", (started.isoformat(),))
        run = f"{started.date()}/{number.lastrowid}"
        for (data,) in due:
            self._pay(PaymentInstructionIssued.model_validate_json(data), run, started.date())
        return len(due)

    def _pay(self, instruction: PaymentInstructionIssued, run: str, day: date) -> None:
        payment, amount = instruction.payment_id, instruction.amount
        self._connection.execute(
            "insert into payments_made values (?, ?, ?, ?, ?, ?)",
            (str(payment), instruction.version, amount.minor, amount.currency, run, day.isoformat()),
        )
        version = instruction.version
        self._record(
            InstructionPaid(payment_id=payment, version=version, amount=amount, pay_date=day, run_reference=run)
        )

    def _record(self, answer: Answer) -> None:
        """One that is recorded already is published again, as it was."""
        identity = uuid5(_ANSWERS, f"{answer.payment_id}/{answer.version}/{answer.event_type}")
        self._connection.execute(
            "insert into answers (id, payment, type, data, recorded_at) values (?, ?, ?, ?, ?) "
            "on conflict (id) do update set published = 0",
            (str(identity), str(answer.payment_id), answer.event_type, encode(answer), now().isoformat()),
        )

    def park(self, topic: str, partition: int, *, offset: int, cause: str, value: bytes | None) -> None:
        """Keep a record that could not be read."""
        self._connection.execute(
            "insert or replace into dead_letters values (?, ?, ?, ?, ?)", (topic, partition, offset, cause, value)
        )

    def unpublished(self, limit: int = 500) -> list[RecordedAnswer]:
        """The answers to publish, in the order they were recorded."""
        rows = self._connection.execute(
            "select number, id, payment, type, data, recorded_at from answers where published = 0 "
            "order by number limit ?",
            (limit,),
        )
        return [
            RecordedAnswer(n, UUID(i), PaymentId(UUID(payment)), kind, data, datetime.fromisoformat(at))
            for n, i, payment, kind, data, at in rows
        ]

    def published(self, answers: Sequence[RecordedAnswer]) -> None:
        self._connection.executemany(
            "update answers set published = 1 where number = ?", [(answer.number,) for answer in answers]
        )

    def publish_again(self) -> None:
        """All of them: the topic lost some."""
        self._connection.execute("update answers set published = 0")

    def figures(self) -> Figures:
        row: Any = self._one(
            "select (select count(*) from instructions), (select count(*) from instructions where accepted), "
            "(select count(*) from payments_made), (select count(*) from answers), "
            "(select count(*) from answers where published = 0), (select count(*) from dead_letters)"
        )
        return Figures(*row)

    def _one(self, query: str, *parameters: object) -> Any:
        return self._connection.execute(query, parameters).fetchone()


def _accepted(instruction: PaymentInstructionIssued) -> InstructionAccepted:
    return InstructionAccepted(
        payment_id=instruction.payment_id, version=instruction.version, amount=instruction.amount
    )


def _rejected(instruction: PaymentInstructionIssued, code: str) -> InstructionRejected:
    return InstructionRejected(payment_id=instruction.payment_id, version=instruction.version, code=code)
