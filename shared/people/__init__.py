"""The people feed and the reporting-line queries that every service uses."""
