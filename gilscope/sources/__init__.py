"""Read the outside world; each source yields readings or a gap."""
