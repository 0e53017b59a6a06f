"""HTTP in: one route, one command or one query."""
