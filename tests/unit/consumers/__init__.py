"""Tests: the reference subscribers, without servers."""
