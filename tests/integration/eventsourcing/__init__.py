"""The event kernel on real PostgreSQL and real Kafka."""
