"""threading ⇄ multiprocessing, inside the target: standard library only, CPython 3.8 – 3.13.

The target loads these files by path under this package's name, without `gilscope` itself (see boot.py).
`hook` gives the user's own modules, and nobody else, stand-ins for the standard modules; `processes` and
`threads` hold what stands in, in each mode.

Since `gilscope` is not there, only names are imported from these files (`from …notes import note`): for a
submodule (`from … import notes`) CPython would import the packages above it.
"""
