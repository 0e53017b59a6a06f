"""Requests as the OpenAPI document shows them."""

from typing import Any, Final

_GOAL: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
_PARENT: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c"
_OWNER: Final = "0199a1b2-0000-7000-8000-000000000103"
_YEAR: Final = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}

Examples = dict[str, Any]

SET_GOAL: Final[Examples] = {
    "team goal": {
        "value": {
            "level": "team",
            "owner": _OWNER,
            "team": "Production",
            "title": "Halve the open support tickets",
            "metric": {"kind": "number", "start": "200", "target": "100", "unit": "tickets"},
            "parent": _PARENT,
            "weight": "1",
            **_YEAR,
        }
    },
    "objective, measured by the key results below it": {
        "value": {
            "level": "team",
            "owner": _OWNER,
            "team": "Production",
            "title": "Nobody waits for us",
            "objective": "aspirational",
            **_YEAR,
        }
    },
    "in zones": {
        "value": {
            "level": "person",
            "owner": _OWNER,
            "title": "Customers recommend us",
            "metric": {"kind": "zones", "zones": {"fail": "20", "commit": "35", "target": "45", "stretch": "60"}},
            **_YEAR,
        }
    },
    "a bound to keep, month by month": {
        "value": {
            "level": "person",
            "owner": _OWNER,
            "title": "The shop is open",
            "metric": {"kind": "keep", "unit": "%", "keep": {"least": "99.5", "period": "month"}},
            **_YEAR,
        }
    },
    "organization goal, measured by the goals below it": {
        "value": {"level": "organization", "owner": _OWNER, "title": "Customers recommend us", **_YEAR}
    },
}
ALIGN_GOAL: Final[Examples] = {
    "under a parent": {"value": {"parent": _PARENT, "weight": "2"}},
    "under none": {"value": {"parent": None}},
}
RECORD_PROGRESS: Final[Examples] = {
    "now": {"value": {"value": "150"}},
    "measured earlier, elsewhere": {
        "value": {"value": "150", "measured_at": "2026-03-31T16:00:00Z", "source": "integration"}
    },
}
CHOOSE_MEASURE: Final[Examples] = {"by the goals below it": {"value": {"measured_by": "children"}}}
WEIGH_CHILDREN: Final[Examples] = {
    "by hand": {"value": {"weights": [{"goal": _GOAL, "weight": "3"}, {"goal": _PARENT, "weight": "1"}]}},
    "all equally": {"value": {"weights": []}},
}
CLOSE_GOAL: Final[Examples] = {
    "with its final value and a comment": {
        "value": {"value": "100", "closed_on": "2026-11-30", "comment": "Two weeks early, with the new shift plan."}
    }
}
CANCEL_GOAL: Final[Examples] = {
    "with a reason": {"value": {"reason": "priorities-changed"}},
    "with the goals below it": {"value": {"reason": "priorities-changed", "children": "cancelled-too"}},
    "the goals below go elsewhere": {"value": {"reason": "merged", "children": "to-another-goal", "to": _PARENT}},
}
REOPEN_GOAL: Final[Examples] = {"with a reason": {"value": {"reason": "closed-too-early"}}}
CONTRIBUTE: Final[Examples] = {
    "to another goal": {"value": {"contributes_to": [_PARENT]}},
    "to none": {"value": {"contributes_to": []}},
}
RESCHEDULE: Final[Examples] = {"a whole year": {"value": dict(_YEAR)}}
RETITLE: Final[Examples] = {"another title": {"value": {"title": "Halve the open support tickets by June"}}}
DESCRIBE: Final[Examples] = {
    "in more words": {"value": {"description": "Only tickets of customers count; those of pilots do not."}},
    "in none": {"value": {"description": None}},
}
CLASSIFY: Final[Examples] = {
    "values, competencies, tags": {
        "value": {"values": ["customer first"], "competencies": ["planning"], "tags": ["support", "2026"]}
    }
}
VISIBILITY: Final[Examples] = {
    "the team and the line": {"value": {"visibility": "team-and-line"}},
    "as usual": {"value": {"visibility": None}},
}
RETARGET: Final[Examples] = {
    "another target": {"value": {"metric": {"kind": "number", "start": "200", "target": "80", "unit": "tickets"}}}
}
NAME_CONTRIBUTORS: Final[Examples] = {"one person": {"value": {"contributors": [_OWNER]}}}
HAND_OVER: Final[Examples] = {"to somebody else": {"value": {"owner": _OWNER, "reason": "changed-teams"}}}
CARRY_OVER: Final[Examples] = {
    "into the next year": {"value": {"starts_on": "2027-01-01", "ends_on": "2027-12-31"}},
}
SET_HEALTH: Final[Examples] = {
    "at risk, with the reason": {"value": {"health": "at-risk", "reason": "The supplier delivers in May at best"}}
}
PROPOSE_PLAN: Final[Examples] = {
    "weights by hand": {
        "value": {
            "owner": _OWNER,
            "goals": [{"goal": _GOAL, "weight": "60"}, {"goal": _PARENT, "weight": "40"}],
            **_YEAR,
        }
    },
    "equal weights": {"value": {"owner": _OWNER, "goals": [{"goal": _GOAL}, {"goal": _PARENT}], **_YEAR}},
}
ADOPT_POLICY: Final[Examples] = {
    "a preset, one thing changed": {
        "value": {
            "preset": "enterprise",
            "options": {"plan-goals": {"minimum": 1, "maximum": 8}},
            "reason": "new-year",
        }
    },
    "the one in force, one thing changed": {
        "value": {"options": {"plan-period": "half-year"}, "reason": "two-rounds-a-year"}
    },
}
RETURN_PLAN: Final[Examples] = {
    "with a comment": {"value": {"comment": "The second goal is the team's; let us weigh it less."}}
}
GRADE_OBJECTIVE: Final[Examples] = {
    "by its score": {"value": {"comment": "Two of three, and the third has begun", "closed_on": "2026-12-31"}},
    "otherwise": {"value": {"grade": "0.6", "comment": "The market changed", "closed_on": "2026-12-31"}},
}
