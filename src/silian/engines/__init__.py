"""Verbs: pure functions from tables to tables."""
