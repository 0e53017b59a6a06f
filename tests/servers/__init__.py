"""The real servers that the tests run against: which, from where, and that none is left behind."""
