"""What stands in for processes where threads are asked for."""
