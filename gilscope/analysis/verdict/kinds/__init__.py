"""One kind of verdict a file; `registry` has them in order."""
