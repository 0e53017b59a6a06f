"""Tests: the reference payroll, without servers."""
