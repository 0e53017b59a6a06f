"""Tests: integration, services."""
