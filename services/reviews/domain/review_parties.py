"""Who may take a step of a review and who never, and whom its comments are about."""

from services.reviews.domain.review_states import Terms
from shared.eventsourcing.decider import Rejected
from shared.schemas.identifiers import PersonId
from shared.schemas.personal_text import PersonalText


def comment_about(terms: Terms, text: str | None) -> PersonalText | None:
    return None if text is None else PersonalText.about(terms.person, text)


def only(actor: PersonId, allowed: PersonId, rule: str) -> None:
    if actor != allowed:
        raise Rejected(rule, actor=actor)


def never(actor: PersonId, excluded: PersonId, rule: str) -> None:
    if actor == excluded:
        raise Rejected(rule, actor=actor)
