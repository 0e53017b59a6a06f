"""Reviews: cycles, ratings and their explanation."""
