"""Tests: unit, services."""
