"""Settings, logging, authentication, problem documents and application factories."""
