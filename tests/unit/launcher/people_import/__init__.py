"""Tests: unit, launcher, people import."""
