"""Kafka in: another publisher's event becomes our command."""
