"""What stands in for threads where processes are asked for."""
