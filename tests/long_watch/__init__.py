"""Watches of hours: memory, descriptors, file size and cost stay flat."""
