"""Privacy: what is erased, and what is kept of that."""
