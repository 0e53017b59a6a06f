"""The evidence behind a rating, hashed over ids and numbers alone, so that erasing a text breaks no proof."""

import hashlib
import json
from decimal import Decimal

from shared.schemas.reviews import Evidence, GoalEvidence
from shared.schemas.values import plain


def evidence_hash(evidence: Evidence) -> str:
    """SHA-256, in lower-case hex, over the evidence's canonical JSON in UTF-8."""
    return hashlib.sha256(canonical(evidence).encode()).hexdigest()


def canonical(evidence: Evidence) -> str:
    """The one JSON text of an evidence, as RFC 8785 writes it: keys sorted, no blanks, numbers as strings.

    Equal evidence gives equal bytes: goals and feedback are sorted by id, and 50, 50.0 and 50.00 are all "50".
    """
    content = {
        "feedback": sorted(str(feedback) for feedback in evidence.feedback),
        "goals": [_goal(goal) for goal in sorted(evidence.goals, key=lambda goal: str(goal.goal))],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _goal(goal: GoalEvidence) -> dict[str, str | None]:
    return {
        "goal": str(goal.goal),
        "position": str(goal.position),
        "progress": None if goal.progress is None else _shortest(goal.progress),
        "version": str(goal.version),
    }


def _shortest(number: Decimal) -> str:
    text = plain(number)
    return text.rstrip("0").rstrip(".") if "." in text else text
