"""python -m services.reviews [api|worker|all|migrate|migrated|verify|refill|rewrap]."""

import sys

from services.reviews.app import SERVICE
from shared.runtime.process import main

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
