"""Faults on purpose: what the checker is proved by."""
