"""Payments over HTTP: issue again what payroll rejected; reconcile; show where two duties met."""

from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.rewards.api.permissions import PAYMENTS, REISSUE
from services.rewards.domain.payment import PAYMENT, Issued, ReissuePayment, ReissuePaymentBody
from services.rewards.projections import duties, reconciliation
from services.rewards.projections.duties import Duty
from services.rewards.projections.reconciliation import CurrencyLine, Mismatch
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from shared.people.population import find
from shared.runtime.authorization import READ, needs
from shared.runtime.http import AtEdge, CommandAnswer
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import PaymentId, PersonId, RewardId


class CurrencyView(BaseModel):
    """One currency, in minor units: approved = issued = accepted + rejected + pending, and paid <= accepted."""

    currency: str
    approved: int
    issued: int
    accepted: int
    rejected: int
    pending: int
    paid: int
    approved_minus_issued: int
    issued_minus_answered: int
    paid_beyond_accepted: int
    difference: int = Field(description="The sum of all differences' sizes; 0 when all is well.")


class MismatchView(BaseModel):
    """A payment that does not reconcile, and why; amounts in minor units."""

    payment: PaymentId
    reward: RewardId | None
    reason: str
    detail: str | None
    currency: str | None
    approved: int | None
    issued: int | None


class ReconciliationView(BaseModel):
    """What was approved, what payroll was told, what payroll answered, and everything that does not match."""

    difference: int = Field(description="Over all currencies, in minor units; 0 when all is well.")
    currencies: Sequence[CurrencyView]
    mismatches: Sequence[MismatchView]


class MeetingView(BaseModel):
    """A person with more than one duty in a reward that was approved; there must be none."""

    reward: RewardId
    person: PersonId
    duties: tuple[Duty, ...]


def payment_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(tags=["payments"])

    @routes.get("/reconciliation", summary="Does what was approved equal what was issued, answered and paid?")
    @needs("payment", READ)
    async def reconcile(edge: AtEdge) -> ReconciliationView:
        PAYMENTS.require(edge.action, edge.caller)
        await runtime.wait(reconciliation.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            found = await reconciliation.reconcile(connection)
        return ReconciliationView(
            difference=found.difference,
            currencies=[_currency(line) for line in found.currencies],
            mismatches=[_mismatch(mismatch) for mismatch in found.mismatches],
        )

    @routes.get("/duties", summary="Rewards in which two duties met in one person: none, if all is well")
    @needs("payment", READ)
    async def where_duties_met(edge: AtEdge) -> Sequence[MeetingView]:
        PAYMENTS.require(edge.action, edge.caller)
        await runtime.wait(duties.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            met = await duties.where_duties_met(connection)
        return [MeetingView(reward=m.reward, person=m.person, duties=m.duties) for m in met]

    @routes.post(
        "/payments/{payment}/reissue", summary="Issue again what payroll rejected, with the person's facts of now"
    )
    @needs("payment", REISSUE)
    async def reissue(payment: PaymentId, body: ReissuePaymentBody, edge: AtEdge) -> CommandAnswer:
        PAYMENTS.require(edge.action, edge.caller)

        async def plan(decision: Decision) -> None:
            state = (await decision.load(PAYMENT, payment)).state
            if not isinstance(state, Issued):
                raise not_found("payment", payment)
            person = await find(decision.connection, state.instruction.person)
            if person is None:
                raise Rejected("person-is-not-known", person=state.instruction.person)
            facts = {"legal_entity": person.legal_entity, "pay_group": person.pay_group}
            command = ReissuePayment.from_body(body, at=edge.now, by=edge.caller.person, **facts)
            await decision.decide(PAYMENT, payment, command)

        answer = edge.describe(lambda _payment: list[str]())
        return edge.accepted((await runtime.handler.handle_together(edge.context, plan, answer=answer))[0])

    return routes


def _currency(line: CurrencyLine) -> CurrencyView:
    return CurrencyView(
        currency=line.currency,
        approved=line.approved,
        issued=line.issued,
        accepted=line.accepted,
        rejected=line.rejected,
        pending=line.pending,
        paid=line.paid,
        approved_minus_issued=line.approved_minus_issued,
        issued_minus_answered=line.issued_minus_answered,
        paid_beyond_accepted=line.paid_beyond_accepted,
        difference=line.difference,
    )


def _mismatch(mismatch: Mismatch) -> MismatchView:
    return MismatchView(
        payment=mismatch.payment,
        reward=mismatch.reward,
        reason=mismatch.reason,
        detail=mismatch.detail,
        currency=mismatch.currency,
        approved=mismatch.approved,
        issued=mismatch.issued,
    )
