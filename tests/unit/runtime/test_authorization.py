"""Permissions: a role counts together with its relation, and the table tells the allowed actions."""

import pytest

from shared.runtime.authorization import Permissions, Relation
from shared.runtime.caller import Caller, Role
from shared.runtime.problems import Problem
from tests.unit.runtime.conftest import PERSON

TABLE = Permissions(
    {
        "read": {
            (Role.EMPLOYEE, Relation.SELF),
            (Role.MANAGER, Relation.REPORTING_LINE),
            (Role.HR, Relation.ANY),
        },
        "record-progress": {(Role.EMPLOYEE, Relation.SELF), (Role.MANAGER, Relation.REPORTING_LINE)},
        "cancel": {(Role.MANAGER, Relation.REPORTING_LINE)},
    }
)
ACTIONS = ("cancel", "record-progress")
EMPLOYEE = Caller.of(PERSON, [Role.EMPLOYEE])
MANAGER = Caller.of(PERSON, [Role.MANAGER])
HR = Caller.of(PERSON, [Role.HR])
PAYROLL = Caller.of(PERSON, [Role.PAYROLL])


@pytest.mark.parametrize(
    ("caller", "relation", "allowed"),
    [
        (EMPLOYEE, Relation.SELF, ["record-progress"]),
        (EMPLOYEE, Relation.REPORTING_LINE, []),
        (MANAGER, Relation.REPORTING_LINE, ["cancel", "record-progress"]),
        (MANAGER, Relation.SELF, ["record-progress"]),
        (MANAGER, Relation.PARTICIPANT, []),
        (HR, Relation.REPORTING_LINE, []),
    ],
)
def test_a_role_counts_with_its_relation_alone(caller: Caller, relation: Relation, allowed: list[str]) -> None:
    assert TABLE.allowed_actions(ACTIONS, caller, {relation}) == allowed


def test_any_needs_no_relation() -> None:
    assert TABLE.allows("read", HR)
    assert not TABLE.allows("read", EMPLOYEE)


def test_who_manages_is_employed_and_who_runs_payroll_need_not_be() -> None:
    assert Role.EMPLOYEE in MANAGER.roles
    assert Role.EMPLOYEE not in PAYROLL.roles


@pytest.mark.parametrize(("caller", "status"), [(HR, 403), (PAYROLL, 404)])
def test_what_one_may_not_see_does_not_exist(caller: Caller, status: int) -> None:
    with pytest.raises(Problem) as refused:
        TABLE.require("cancel", caller, of="goal")
    assert refused.value.document.status == status


def test_who_may_is_let_through() -> None:
    TABLE.require("cancel", MANAGER, {Relation.REPORTING_LINE})


def test_an_action_that_the_table_lacks_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        TABLE.allows("delete", HR)
