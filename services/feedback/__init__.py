"""Feedback: continuous feedback and check-ins."""
