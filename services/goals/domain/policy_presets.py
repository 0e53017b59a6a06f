"""Policies for kinds of companies, as data: what is not named keeps its default."""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from shared.schemas.goal_policies import Preset

PRESETS: Final[Mapping[Preset, Mapping[str, JsonValue]]] = {
    Preset.STARTUP: {
        "plan-period": "quarter",
        "plan-goals": {"minimum": 1, "maximum": 5},
        "plan-agreement": "line",
    },
    Preset.FAMILY: {
        "plan-period": "year",
        "plan-goals": {"minimum": 1, "maximum": 6},
        "plan-agreement": "line",
    },
    Preset.ENTERPRISE: {
        "plan-period": "year",
        "plan-goals": {"minimum": 3, "maximum": 10},
        "plan-weights": {"minimum": "5", "maximum": "60"},
        "alignment-rests-days": 14,
    },
    Preset.SCHOOL: {
        "plan-period": "half-year",
        "plan-goals": {"minimum": 1, "maximum": 8},
        "plan-weights": {"minimum": "10", "maximum": "100"},
    },
}
