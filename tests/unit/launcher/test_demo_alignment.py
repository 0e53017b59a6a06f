"""The demo's alignment coverage: a goal is aligned whose chain of parents ends at a goal of the organization."""

from decimal import Decimal

from launcher.demo_cycle.alignment import Coverage, aligned


def goal(name: str, level: str, parent: str | None = None) -> dict[str, str | None]:
    return {"id": name, "level": level, "parent": parent}


GOALS = [
    goal("strategy", "organization"),
    goal("sales", "team", "strategy"),
    goal("ann", "person", "sales"),
    goal("island", "team"),
    goal("bob", "person", "island"),
    goal("eve", "person"),
    goal("fay", "person", "hidden"),
]


def test_a_chain_that_ends_at_the_organization_is_aligned() -> None:
    assert aligned(GOALS, {"ann", "sales", "strategy"}) == {"ann", "sales", "strategy"}


def test_a_chain_that_ends_elsewhere_is_not() -> None:
    """A parent alone is not enough: it may hang nowhere itself, or nobody may see it."""
    assert aligned(GOALS, {"bob", "island", "eve", "fay", "ann"}) == {"ann"}


def test_a_share_has_two_places() -> None:
    assert Coverage("now", 225, 226).percent == Decimal("99.56")
