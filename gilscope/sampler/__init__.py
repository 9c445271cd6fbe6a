"""Ticker → sources → merge → recording."""
