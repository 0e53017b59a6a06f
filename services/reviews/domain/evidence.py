"""The evidence behind a rating, hashed over ids and numbers alone, so that erasing a text breaks no proof."""

from shared.schemas.canonical import canonical_text, sha256_of
from shared.schemas.reviews import Evidence


def evidence_hash(evidence: Evidence) -> str:
    """SHA-256, in lower-case hex, over the evidence's canonical JSON in UTF-8."""
    return sha256_of(_sorted(evidence))


def canonical(evidence: Evidence) -> str:
    """The one JSON text of an evidence (RFC 8785), whatever the order in which it was gathered."""
    return canonical_text(_sorted(evidence))


def _sorted(evidence: Evidence) -> Evidence:
    return Evidence(
        goals=tuple(sorted(evidence.goals, key=lambda goal: (str(goal.goal), str(goal.plan)))),
        feedback=tuple(sorted(evidence.feedback, key=str)),
        goals_hash=evidence.goals_hash,
    )
