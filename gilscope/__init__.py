"""gilscope shows which thread or process of a Python program runs, who holds the GIL and who waits."""

__version__ = "0.1.0"
