"""Tests: unit, launcher, people generation."""
