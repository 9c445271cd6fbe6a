"""Scripts to watch, each with something to learn."""
