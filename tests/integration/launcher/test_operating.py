"""`trellis projections` and `trellis log` against a service's administration over HTTP."""

from pathlib import Path

from launcher.state import State
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


async def test_a_projection_is_rebuilt(operator: Operator) -> None:
    code, said = await operator.says("projections", "rebuild", "goals", "goal_tree")
    assert code == 0, said
    assert "goals: goal_tree is as far as before" in said


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
    assert "The service goals does not answer at http://127.0.0.1:1" in said


async def test_without_anything_started_the_remedy_is_said(tmp_path: Path, operator: Operator) -> None:
    elsewhere = Operator(tmp_path / "elsewhere", operator.service)
    code, said = await elsewhere.says("log", "status")
    assert code == 1
    assert "`trellis up`" in said
