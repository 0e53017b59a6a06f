"""The access table, asked of the running service: every route, every role, every relation, every state."""
