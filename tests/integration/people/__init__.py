"""The people feed in a service's database, on a real PostgreSQL."""
