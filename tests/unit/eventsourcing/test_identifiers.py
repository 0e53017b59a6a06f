"""Identifiers: derived ones are what the standard says, and the same for ever."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from shared.eventsourcing.identifiers import derived

NAMESPACE = UUID("6f2f1c1e-7b0a-5a53-9c7e-2f3d4b8f6a10")


@given(st.lists(st.text(), min_size=1))
def test_a_derived_id_is_the_standards_version_5(parts: list[str]) -> None:
    assert derived(*parts) == uuid5(NAMESPACE, "/".join(parts))


def test_a_derived_id_never_changes() -> None:
    """Reviews of people who have one are found by it."""
    assert derived("review", "a", 1) == UUID("14bbbbfc-048c-5c4f-8dd3-8bf85df3ce19")
