"""Tests: integration, the rewards service on real servers."""
