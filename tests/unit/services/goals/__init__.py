"""Tests: unit, the goals service."""
