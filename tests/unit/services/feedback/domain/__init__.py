"""Tests: the rules of the feedback service, one by one."""
