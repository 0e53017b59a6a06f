"""`trellis projections` and `trellis log` against a service's administration over HTTP."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from launcher.state import State
from services.goals.projections import goal_tree
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from tests.integration.launcher.operating import Operator


async def test_the_log_of_a_service_can_be_forked_and_says_what_follows(operator: Operator) -> None:
    code, said = await operator.says("log", "fork", "goals", "--reason", "restored from the backup of Sunday")
    assert code == 0, said
    assert "goals publishes from its first event again, as log " in said
    assert "trellis projections rebuild goals goal_tree" in said


async def test_the_log_and_the_projections_of_a_service_are_shown(operator: Operator) -> None:
    code, said = await operator.says("log", "status", "goals")
    assert code == 0, said
    assert "by nobody" in said
    code, said = await operator.says("projections", "list", "goals")
    assert code == 0, said
    assert "goal_tree" in said
    assert "goals.events" in said


async def test_a_rebuild_is_asked_for_once_shown_and_cancelled(operator: Operator) -> None:
    """No worker runs here: it stays where it begins."""
    code, said = await operator.says("projections", "rebuild", "goals", "goal_tree", "--detach")
    assert code == 0, said
    assert "goals: goal_tree is being built anew, as build 2" in said
    code, said = await operator.says("projections", "list", "goals")
    assert code == 0, said
    version = goal_tree.PROJECTION.version
    assert re.search(rf"goal_tree +1 +{version} +serving", said)
    assert re.search(rf"goal_tree +2 +{version} +building 100 %", said)
    code, said = await operator.says("projections", "rebuild", "goals", "goal_tree")
    assert code == 1
    assert "A rebuild of goal_tree is running (build 2" in said
    assert "`trellis projections watch` shows it" in said
    code, said = await operator.says("projections", "cancel", "goals", "goal_tree")
    assert code == 0, said
    assert "build 2 of goal_tree is cancelled" in said
    assert "building" not in (await operator.says("projections", "list", "goals"))[1]


async def test_a_fork_names_the_timers_too_and_they_can_be_told_to_follow(operator: Operator) -> None:
    code, said = await operator.says("log", "fork", "goals", "--reason", "a restore")
    assert code == 0, said
    assert "trellis log follow goals timers" in said
    code, said = await operator.says("log", "follow", "goals", "timers")
    assert (code, said.strip()) == (0, "goals: timers follows the new log")
    assert (await operator.says("log", "follow", "goals", "calendar"))[0] == 1


@pytest.mark.parametrize("act", ["rollback", "drop", "cancel", "accept", "watch"])
async def test_what_makes_no_sense_as_things_stand_is_refused(operator: Operator, act: str) -> None:
    code, said = await operator.says("projections", act, "goals", "goal_plans")
    assert code == 1
    wanted = "Nothing is kept of goal_plans." if act in ("rollback", "drop") else "No rebuild of goal_plans is running"
    assert wanted in said


async def test_only_an_administrator_may_rebuild_and_only_what_is_there(operator: Operator) -> None:
    somebody = PersonId(UUID(int=7))
    async with operator.service.client(somebody, Role.HR) as hr:
        assert (await hr.post("/admin/projections/goal_tree/rebuild")).status_code == 403
    async with operator.service.client(somebody, Role.ADMIN) as administrator:
        unknown = await administrator.post("/admin/projections/goal_bush/rebuild")
        assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:trellis:problem:not-found")
        nothing = await administrator.post("/admin/projections/goal_tree/rollback")
        assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:trellis:problem:nothing-is-kept")


async def test_a_projection_that_does_not_exist_is_named_with_those_that_do(operator: Operator) -> None:
    code, said = await operator.says("projections", "rebuild", "goals", "goal_bush")
    assert code == 1
    assert "goals has no projection goal_bush; it has goal_tree" in said


async def test_a_service_that_does_not_exist_is_named_with_those_that_do(operator: Operator) -> None:
    code, said = await operator.says("projections", "rebuild", "gaols", "goal_tree")
    assert code == 2
    assert "there is no service 'gaols'" in said


async def test_a_service_that_does_not_answer_is_said(operator: Operator) -> None:
    State(operator.folder).remember_port("goals-api", 1)
    code, said = await operator.says("projections", "list")
    assert code == 1
    assert "The service goals does not run: nobody listens at http://127.0.0.1:1" in said


async def test_without_anything_started_the_remedy_is_said(tmp_path: Path, operator: Operator) -> None:
    elsewhere = Operator(tmp_path / "elsewhere", operator.service)
    code, said = await elsewhere.says("log", "status")
    assert code == 1
    assert "`trellis up`" in said


async def test_timers_are_counted_and_rebuilt_and_only_what_failed_is_tried_again(operator: Operator) -> None:
    code, said = await operator.says("timers", "list", "goals")
    assert (code, said.split()) == (0, ["Service", "Set", "Late", "Failing", "Parked", "goals", "0", "0", "0", "0"])
    code, said = await operator.says("timers", "retry", "goals", "goal-expiry", "goal-of-nobody")
    assert code == 1
    assert "no failed timer goal-expiry of goal-of-nobody" in said
    code, said = await operator.says("timers", "rebuild", "goals")
    assert (code, said.strip()) == (0, "goals: its timers are being set again")
