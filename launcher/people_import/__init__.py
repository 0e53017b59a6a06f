"""People from an HR export: read it, check it row by row, publish what changed."""
