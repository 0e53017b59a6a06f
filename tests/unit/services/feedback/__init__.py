"""Tests: unit, the feedback service."""
