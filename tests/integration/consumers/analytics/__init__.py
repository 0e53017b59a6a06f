"""Tests: the analytics subscriber on a real broker."""
