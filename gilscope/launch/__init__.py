"""Start and stop a target; the shim that runs inside it."""
