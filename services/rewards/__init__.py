"""Rewards: merit increases, budgets and payment instructions."""
