"""python -m services.feedback [api|worker|all|migrate|migrated|verify|refill|rewrap]."""

import sys

from services.feedback.app import SERVICE
from shared.runtime.process import main

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
