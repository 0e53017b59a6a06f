"""What is decided about a reward: each step one transaction over reward, pool and payment."""

from typing import Final

from services.rewards.domain.budget_pool import POOL, CommitBudget, ReleaseBudget, ReserveBudget
from services.rewards.domain.payment import PAYMENT, IssuePayment
from services.rewards.domain.reward import (
    REWARD,
    AdjustReward,
    AdjustRewardBody,
    Approved,
    ApproveReward,
    Granted,
    Proposed,
    Refused,
    RejectReward,
    RejectRewardBody,
    Reward,
)
from services.rewards.domain.reward_program import PROGRAM, Open
from services.rewards.projections.compensation import pay_of
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import derived
from shared.people.population import Person, find
from shared.runtime.caller import Role
from shared.runtime.http import Edge
from shared.schemas.identifiers import BudgetPoolId, PaymentId, PersonId, RewardId
from shared.schemas.rewards import PayComponent, RewardProgramOpened, RewardProposed

_ACTING_ROLES: Final = (Role.HR, Role.MANAGER)


async def approve(decision: Decision, reward: RewardId, edge: Edge) -> None:
    """Commit the budget and tell payroll to pay: all of it, or nothing.

    Raises:
        Rejected: approver-must-not-be-the-beneficiary, approver-must-not-be-the-proposer, budget-must-not-be-overspent.
    """
    at, by = edge.now, edge.caller.person
    await _pool_in_turn(decision, reward)
    payment = PaymentId(derived("payment", reward))
    role = next((role.value for role in _ACTING_ROLES if role in edge.caller.roles), Role.EMPLOYEE.value)
    state = await decision.decide(REWARD, reward, ApproveReward(payment=payment, role=role, at=at, by=by))
    if isinstance(state, Approved):
        amount = state.approved.amount
        await decision.decide(POOL, state.proposal.pool, CommitBudget(reward=reward, amount=amount, at=at, by=by))
        await decision.decide(PAYMENT, payment, await _instruction(decision, reward, payment, state))


async def _instruction(decision: Decision, reward: RewardId, payment: PaymentId, approved: Approved) -> IssuePayment:
    proposal, approval = approved.proposal, approved.approved.approval
    terms = await _terms(decision, proposal)
    person = await _known(decision, proposal.person)
    return IssuePayment(
        payment=payment,
        reward=reward,
        person=proposal.person,
        legal_entity=person.legal_entity,
        pay_group=person.pay_group,
        components=(
            PayComponent(earning_code=terms.earning_code, amount=approved.award.increase),
            PayComponent(earning_code=terms.lump_sum_earning_code, amount=approved.award.lump_sum),
        ),
        pay_date=terms.pay_date,
        coverage_start=proposal.coverage_start,
        coverage_end=proposal.coverage_end,
        reason_code=terms.reason_code,
        cost_allocation=terms.cost_allocation,
        approvals=(approval,),
        at=approval.at,
        by=approval.who,
    )


async def reject(decision: Decision, reward: RewardId, body: RejectRewardBody, edge: Edge) -> None:
    """Let the reserved budget go."""
    at, by = edge.now, edge.caller.person
    await _pool_in_turn(decision, reward)
    state = await decision.decide(REWARD, reward, RejectReward.from_body(body, at=at, by=by))
    if isinstance(state, Refused):
        release = ReleaseBudget(reward=reward, reason="reward-rejected", at=at, by=by)
        await decision.decide(POOL, state.proposal.pool, release)


async def adjust(decision: Decision, reward: RewardId, body: AdjustRewardBody, edge: Edge) -> None:
    """Another percentage, within the guideline and the budget."""
    at, by = edge.now, edge.caller.person
    await _pool_in_turn(decision, reward)
    state = (await decision.load(REWARD, reward)).state
    if not isinstance(state, Proposed):
        raise Rejected("reward-is-not-proposed", state=type(state).__name__)
    pay = await pay_of(decision.connection, state.proposal.person)
    if pay is None:
        raise Rejected("compensation-must-be-known", person=state.proposal.person)
    facts = {"program": await _terms(decision, state.proposal), "pay": pay}
    adjusted = await decision.decide(REWARD, reward, AdjustReward.from_body(body, at=at, by=by, **facts))
    if isinstance(adjusted, Proposed):
        reserve = ReserveBudget(reward=reward, amount=adjusted.award.amount, at=at, by=by)
        await decision.decide(POOL, adjusted.proposal.pool, reserve)


async def _pool_in_turn(decision: Decision, reward: RewardId) -> None:
    """Everybody who spends from a pool waits for the one before: the pool is what they would conflict on."""
    pool = pool_of((await decision.load(REWARD, reward)).state)
    if pool is not None:
        await decision.in_turn(POOL, pool)


def pool_of(reward: Reward) -> BudgetPoolId | None:
    """The pool that a reward is paid from, once it is proposed."""
    return reward.proposal.pool if isinstance(reward, Proposed | Approved | Refused | Granted) else None


async def _terms(decision: Decision, proposal: RewardProposed) -> RewardProgramOpened:
    program = (await decision.load(PROGRAM, proposal.program)).state
    if not isinstance(program, Open):
        raise Rejected("no-open-program", program=proposal.program)
    return program.terms


async def _known(decision: Decision, person: PersonId) -> Person:
    found = await find(decision.connection, person)
    if found is None:
        raise Rejected("person-is-not-known", person=person)
    return found
