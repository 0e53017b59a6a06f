"""The service's database history."""
