"""Tests: unit, the reviews service."""
