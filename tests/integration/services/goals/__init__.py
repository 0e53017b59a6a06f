"""Tests: the goals service on a real PostgreSQL."""
