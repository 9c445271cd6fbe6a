"""Start and stop a target."""
