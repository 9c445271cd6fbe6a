"""A hundred sub-interpreters, made, run and destroyed one after the other, then one that computes."""

import sys
import time

try:
    import _interpreters as interpreters

    create, run = (lambda: interpreters.create("isolated")), interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters

    create, run = interpreters.create, interpreters.run_string

for _ in range(100):
    made = create()
    run(made, "sum(range(20000))")
    interpreters.destroy(made)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    pass
