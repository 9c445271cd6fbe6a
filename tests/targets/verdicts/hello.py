"""Over before anything can be said."""

print("hello")
