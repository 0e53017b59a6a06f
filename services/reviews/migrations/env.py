"""Runs the reviews service's migrations in the connection that the migration job gave."""

from sqlalchemy import MetaData

from shared.runtime.migration import run_environment

run_environment(MetaData())
