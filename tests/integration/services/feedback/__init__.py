"""Tests: integration, the feedback service on real servers."""
