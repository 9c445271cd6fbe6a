"""Mutated recordings and mutated memory: `python -m tests.fuzz recordings 100000`."""
