"""The demo's alignment coverage, as it is shown."""

from decimal import Decimal

from launcher.demo_cycle.alignment import Coverage


def test_a_share_has_two_places() -> None:
    assert Coverage("now", 225, 226).percent == Decimal("99.56")
