"""Thin widgets around the pure renderers."""
