"""Tests: the rewards service, without servers."""
