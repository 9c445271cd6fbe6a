"""gilscope attached to services that nobody here wrote, under load."""
