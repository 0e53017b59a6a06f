"""Tests: the rules of the rewards service, one by one."""
