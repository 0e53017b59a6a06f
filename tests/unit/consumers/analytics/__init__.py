"""Tests: the analytics subscriber, without servers."""
