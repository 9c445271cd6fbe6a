"""The table of offsets against the headers of every Python found: `make layouts`."""
