"""Kafka-compatible brokers that the launcher and the tests can start."""
