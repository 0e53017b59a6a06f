"""`python -m services.<service> rewrap`: wraps data keys with the master key that another one has wrapped."""

import asyncio
import sys

from sqlalchemy.exc import DBAPIError

from shared.eventsourcing.database import create_engine
from shared.eventsourcing.described import described
from shared.privacy.errors import WrongMasterKey
from shared.privacy.keys import DataKeys
from shared.runtime.settings import Settings


def run(settings: Settings) -> int:
    """The exit code: 0; 1 where a key opens with neither, or where the database does not answer."""
    try:
        old, kept = asyncio.run(_rewrap(settings))
    except (WrongMasterKey, DBAPIError, OSError, TimeoutError) as error:
        sys.stderr.write(f"no key was changed: {error if isinstance(error, WrongMasterKey) else described(error)}\n")
        return 1
    sys.stdout.write(f"{old} of {kept} data keys were wrapped anew\n")
    return 0


async def _rewrap(settings: Settings) -> tuple[int, int]:
    other = settings.other_master_key
    engine = create_engine(settings.keys_database_url, pool_size=1, patient=True, application_name="trellis-rewrap")
    keys = DataKeys(engine, settings.master_key.get_secret_value(), other.get_secret_value() if other else None)
    try:
        return await keys.rewrap()
    finally:
        await engine.dispose()
