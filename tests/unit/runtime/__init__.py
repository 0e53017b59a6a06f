"""The runtime: settings, logs, problems, tokens, permissions, routes."""
