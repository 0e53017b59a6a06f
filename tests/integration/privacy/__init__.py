"""Personal text on a real PostgreSQL."""
