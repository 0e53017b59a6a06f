"""Tests: the published language."""
