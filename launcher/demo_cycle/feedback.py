"""Feedback: managers to their people and people among themselves; read and acknowledged; check-ins held."""

from launcher.demo_cycle.goals import OwnGoal
from launcher.demo_cycle.stage import Stage, employee, manager
from shared.runtime.clock import now
from shared.schemas.people import PersonRecord


async def give_and_acknowledge(stage: Stage, goals: list[OwnGoal]) -> None:
    """Everybody gets feedback from their manager, about a goal, and from a colleague."""
    about = {goal.owner.person: goal.id for goal in goals}
    people = stage.company.people
    pairs = [(m, p, about.get(p.person)) for p in people if (m := stage.company.manager_of(p)) is not None]
    pairs += [(people[n - 1], p, None) for n, p in enumerate(people)]
    given = await stage.each("feedback given", pairs, lambda pair: _give(stage, *pair))
    await stage.each("feedback acknowledged", given, lambda one: _acknowledge(stage, *one))


async def _give(stage: Stage, author: PersonRecord, to: PersonRecord, goal: str | None) -> tuple[str, PersonRecord]:
    text = f"{to.given_name or to.family_name}, thank you: what you took on, you brought to its end."
    body = {
        "receiver": str(to.person),
        "kind": "praise",
        "visibility": "receiver-and-manager",
        "goal": goal,
        "text": text,
    }
    answer = await stage.client.post(employee(author), "/feedback/v1/feedback", body)
    return answer["id"], to


async def _acknowledge(stage: Stage, feedback: str, receiver: PersonRecord) -> None:
    await stage.client.post(employee(receiver), f"/feedback/v1/feedback/{feedback}/acknowledge", {})


async def hold_check_ins(stage: Stage) -> None:
    """Every manager with each of their people."""
    pairs = [(m, p) for p in stage.company.people if (m := stage.company.manager_of(p)) is not None]
    await stage.each("check-ins held", pairs, lambda pair: _hold(stage, *pair))


async def _hold(stage: Stage, holder: PersonRecord, person: PersonRecord) -> None:
    body = {
        "person": str(person.person),
        "held_on": now().date().isoformat(),
        "notes": "What went well, what is in the way, what comes next.",
        "shared": True,
    }
    await stage.client.post(manager(holder), "/feedback/v1/check-ins", body)
