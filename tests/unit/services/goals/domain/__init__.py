"""Tests: the rules of the goals service, one by one."""
