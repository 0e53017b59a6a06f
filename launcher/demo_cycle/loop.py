"""The whole loop: set and align goals -> monitor and give feedback -> review -> recognise and reward."""

from collections.abc import Sequence
from dataclasses import dataclass

from launcher.demo_cycle import alignment, feedback, goals, reviews, rewards, scenarios
from launcher.demo_cycle.alignment import Coverage
from launcher.demo_cycle.scenarios import Seeds
from launcher.demo_cycle.stage import Stage


@dataclass(frozen=True)
class Played:
    """What a loop leaves to be shown: the review cycle's id, the scenarios (None: there are no teams), the coverage."""

    cycle: str
    seeds: Seeds | None
    coverage: Sequence[Coverage]


async def play(stage: Stage) -> Played:
    """One cycle over the stage's people, from their goals to their payments."""
    own = await goals.set_and_align(stage)
    await goals.agree_plans(stage, own)
    await goals.record_progress(stage, own)
    seeds = await scenarios.play(stage)
    coverage = await alignment.lose_and_find_one(stage, [goal.id for goal in own], seeds) if seeds else []
    await feedback.give_and_acknowledge(stage, own)
    await feedback.hold_check_ins(stage)
    cycle, opened = await reviews.open_cycle(stage)
    await reviews.rate_and_release(stage, opened)
    await rewards.open_program(stage, cycle)
    await reviews.complete(stage, opened)
    await rewards.approve_and_pay(stage, opened, cycle)
    return Played(cycle, seeds, coverage)
