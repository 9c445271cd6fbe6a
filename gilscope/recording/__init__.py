"""The SQLite file that is the only way from the sampler to a viewer."""
