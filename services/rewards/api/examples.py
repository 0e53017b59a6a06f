"""Request bodies as the OpenAPI document shows them."""

from typing import Annotated, Any, Final

from fastapi import Body

from services.rewards.domain.budget_pool import OpenBudgetPoolBody
from services.rewards.domain.reward_program import OpenRewardProgramBody

_POOL: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
_CYCLE: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c"
_GUIDELINE: Final = {"minimum": "0", "low": "2", "default": "3", "high": "4", "maximum": "6"}
_MATRIX: Final[dict[str, Any]] = {
    "scale_minimum": "1",
    "scale_maximum": "5",
    "rows": [
        {
            "rating_from": "1",
            "rating_below": None,
            "compa_from": "0",
            "compa_below": None,
            "guideline": _GUIDELINE,
        }
    ],
}
_PROGRAM: Final = {
    "cycle": _CYCLE,
    "name": "Merit 2026",
    "pool": _POOL,
    "matrix": _MATRIX,
    "effective_on": "2026-01-01",
    "coverage_start": "2026-01-01",
    "coverage_end": "2026-12-31",
    "pay_date": "2027-01-31",
    "cost_allocation": "CC-1000",
    "policy_version": "2026.1",
}
_BUDGET: Final = {"name": "Merit 2026", "amount": {"amount": "500000.00", "currency": "USD"}}

OpenPool = Annotated[OpenBudgetPoolBody, Body(openapi_examples={"a budget": {"value": _BUDGET}})]
OpenProgram = Annotated[OpenRewardProgramBody, Body(openapi_examples={"one guideline for all": {"value": _PROGRAM}})]
