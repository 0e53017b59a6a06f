"""Tests: unit, the domain of the reviews service."""
