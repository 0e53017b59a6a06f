"""Tests: integration, the reviews service on real servers."""
