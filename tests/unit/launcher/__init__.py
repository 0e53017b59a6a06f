"""Tests: unit, launcher."""
