"""Tests: integration, the reference subscribers on real brokers."""
