"""What can go wrong with personal text."""

from shared.eventsourcing.errors import SubjectErased
from shared.schemas.identifiers import PersonId


class PersonErased(SubjectErased):
    """The person's key was deleted: nothing can be written about them any more."""

    def __init__(self, person: PersonId) -> None:
        super().__init__(f"person {person} was erased; no personal text can be written about them")
        self.person = person


class TextDoesNotOpen(Exception):  # noqa: N818 - named for the fact
    """A ciphertext was altered, moved from its place, or its key is not in this database; the place is `bound_to`."""

    def __init__(self, bound_to: str, why: str) -> None:
        super().__init__(f"the personal text of {bound_to} does not open: {why}")
        self.bound_to = bound_to


class WrongMasterKey(Exception):  # noqa: N818 - named for the fact
    """A data key does not unwrap: the master key is not the one that wrapped it, or the row was altered."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"data key {key_id} does not unwrap: is the master key the one that wrapped it?")
        self.key_id = key_id
