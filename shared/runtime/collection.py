"""Garbage collection in a process that reads many records, or answers many commands."""

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 100
"""A slice of records is tens of thousands of objects that live as long as the slice. Python's own 700, 10 and 10 looked
at them again and again: a quarter of a reader's time."""


def collect_seldom() -> None:
    """From now on what is loaded is never looked at again, and what is new only when there is much of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
