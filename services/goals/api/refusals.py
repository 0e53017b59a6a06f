"""Refusals: of goals that a caller may not see, they are told how many a rule saw, and not which."""

from services.goals.api.hidden_goals import hidden_in, identities, without
from shared.eventsourcing.decider import Rejected
from shared.runtime.caller import Caller
from shared.runtime.service import Runtime


async def without_hidden_goals(runtime: Runtime, caller: Caller, asked: str, refusal: Rejected) -> Rejected:
    """The refusal as it may be told: `ancestors` lists those that the caller may see, `ancestors_hidden` counts others.

    What the request named itself, its path and body being `asked`, is no news.
    """
    told = {one for one in identities(refusal.values) if str(one) not in asked}
    hidden = await hidden_in(runtime, caller, told)
    return Rejected(refusal.rule, **without(refusal.values, hidden)) if hidden else refusal
