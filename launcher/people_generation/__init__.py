"""Made-up companies of any size: who reports to whom, where, since when and for what pay; same seed, same people."""
