"""What Alembic runs: in the connection that `python -m services.goals migrate` opened."""

from sqlalchemy import MetaData

from shared.runtime.migration import run_environment

run_environment(MetaData())
