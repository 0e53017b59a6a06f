"""`python -m tests.chaos.service GUARD PACKAGE ROLE`: a service with a witness among its readers, and a guard less.

GUARD is `all-guards` where none is missing.
"""

import asyncio
import sys
from dataclasses import replace
from importlib import import_module
from typing import Final

from shared.runtime.process import main
from shared.runtime.service import Service
from tests.chaos import witness
from tests.chaos.unguarded import GUARDS

ALL_GUARDS: Final = "all-guards"


def witnessed(package: str) -> Service:
    """The service as it is, and its witness."""
    service: Service = import_module(f"{package}.app").SERVICE
    return replace(service, projections=(*service.projections, witness.projection(service.topic)))


if __name__ == "__main__":
    guard, package, role = sys.argv[1:]
    if guard != ALL_GUARDS:
        GUARDS[guard]()
    service = witnessed(package)
    if role == "worker":
        asyncio.run(witness.install(service.topic))
    sys.exit(main(service, [role]))
