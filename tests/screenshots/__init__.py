"""`make screenshots`: pictures of the app, of its report and of it in motion, all from real runs."""
