"""Tests: the published language's values."""
