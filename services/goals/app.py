"""The goals service put together: what it publishes and hears, what it projects, what it answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from services.goals.api.permissions import ACCESS
from services.goals.projections import (
    goal_assignments,
    goal_periods,
    goal_plans,
    goal_policies,
    goal_profiles,
    goal_templates,
    goal_tree,
    kpi_series,
    kpis,
    plan_steps,
)
from services.goals.reactions import (
    freeze_evidence_when_a_review_asks,
    hand_over_goals_when_their_owner_leaves,
    move_goals_when_kpi_is_measured,
    timers,
)
from services.goals.reactions.record_kpi_measurements import kpi_feed, record_measurements
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.feed import Feed
from shared.runtime.caller import Caller
from shared.runtime.service import Runtime, Service
from shared.schemas import reviews
from shared.schemas.goals import TYPES, PersonalTextErased

if TYPE_CHECKING:
    from fastapi import APIRouter


def _routers(runtime: Runtime) -> "Sequence[APIRouter]":
    from services.goals.api.amendments import amendment_routes  # noqa: PLC0415 - likewise
    from services.goals.api.assignments import assignment_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_closing import goal_closing_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_commands import goal_command_routes  # noqa: PLC0415 - a worker loads no FastAPI
    from services.goals.api.goal_health import goal_health_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_history import goal_history_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_kpis import goal_kpi_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_measures import goal_measure_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_people import goal_people_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_placing import goal_placing_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_profiles import goal_profile_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_reports import goal_report_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goal_wording import goal_wording_routes  # noqa: PLC0415 - likewise
    from services.goals.api.goals import goal_routes  # noqa: PLC0415 - likewise
    from services.goals.api.kpi_commands import kpi_command_routes  # noqa: PLC0415 - likewise
    from services.goals.api.kpi_measurements import kpi_measurement_routes  # noqa: PLC0415 - likewise
    from services.goals.api.kpis import kpi_routes  # noqa: PLC0415 - likewise
    from services.goals.api.plan_steps import plan_step_routes  # noqa: PLC0415 - likewise
    from services.goals.api.plans import plan_routes  # noqa: PLC0415 - likewise
    from services.goals.api.policies import policy_routes  # noqa: PLC0415 - likewise
    from services.goals.api.templates import template_routes  # noqa: PLC0415 - likewise
    from shared.runtime.erasure import erasure_routes  # noqa: PLC0415 - likewise

    return [
        goal_command_routes(runtime),
        goal_measure_routes(runtime),
        goal_placing_routes(runtime),
        goal_wording_routes(runtime),
        goal_people_routes(runtime),
        goal_closing_routes(runtime),
        goal_health_routes(runtime),
        goal_routes(runtime),
        goal_profile_routes(runtime),
        goal_history_routes(runtime),
        goal_report_routes(runtime),
        goal_kpi_routes(runtime),
        plan_routes(runtime),
        plan_step_routes(runtime),
        amendment_routes(runtime),
        policy_routes(runtime),
        kpi_command_routes(runtime),
        kpi_measurement_routes(runtime, record_measurements),
        kpi_routes(runtime),
        template_routes(runtime),
        assignment_routes(runtime),
        erasure_routes(runtime, PersonalTextErased),
    ]


async def _discreet(runtime: Runtime, caller: Caller, asked: str, refusal: Rejected) -> Rejected:
    from services.goals.api.refusals import without_hidden_goals  # noqa: PLC0415 - likewise

    return await without_hidden_goals(runtime, caller, asked, refusal)


_TEN_THOUSAND_MEASUREMENTS: Final = 8_388_608
"""Bytes of a request that holds so many."""


def _feeds(runtime: Runtime) -> Sequence[Feed]:
    people = hand_over_goals_when_their_owner_leaves.people_feed(runtime)
    return (people, kpi_feed(runtime.handler, ZoneInfo(runtime.settings.company_zone), runtime.clock))


SERVICE: Final = Service(
    name="goals",
    title="Trellis goals",
    description="Set goals, align them, record how far they are, and agree on what counts.",
    types=TYPES | reviews.TYPES,
    routers=_routers,
    access=ACCESS,
    projections=(
        goal_tree.PROJECTION,
        goal_profiles.PROJECTION,
        goal_periods.PROJECTION,
        goal_plans.PROJECTION,
        goal_policies.PROJECTION,
        plan_steps.PROJECTION,
        kpis.PROJECTION,
        kpi_series.PROJECTION,
        goal_templates.PROJECTION,
        goal_assignments.PROJECTION,
    ),
    reactions=(move_goals_when_kpi_is_measured.REACTION, freeze_evidence_when_a_review_asks.REACTION),
    feeds=_feeds,
    discreet=_discreet,
    large_bodies={
        "/kpis/measurements": _TEN_THOUSAND_MEASUREMENTS,
        "/kpis/measurements/csv": _TEN_THOUSAND_MEASUREMENTS,
    },
    timers=timers.timers,
)
