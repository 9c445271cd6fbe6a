"""Screens: dashboard, help, quit question."""
