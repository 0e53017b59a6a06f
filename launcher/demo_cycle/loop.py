"""The whole loop: set and align goals -> monitor and give feedback -> review -> recognise and reward."""

from launcher.demo_cycle import feedback, goals, reviews, rewards
from launcher.demo_cycle.stage import Stage


async def play(stage: Stage) -> str:
    """One cycle over the stage's people, from their goals to their payments; the review cycle's id."""
    own = await goals.set_and_align(stage)
    await goals.agree_plans(stage, own)
    await goals.record_progress(stage, own)
    await feedback.give_and_acknowledge(stage, own)
    await feedback.hold_check_ins(stage)
    cycle, opened = await reviews.open_cycle(stage)
    await reviews.rate_and_release(stage, opened)
    await rewards.open_program(stage, cycle)
    await reviews.complete(stage, opened)
    await rewards.approve_and_pay(stage, opened, cycle)
    return cycle
