"""A reference payroll: dedupes, answers, pays once."""
