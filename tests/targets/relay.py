"""One sub-interpreter, run by two threads in turn that both live all the time: four turns of so many seconds."""

import sys
import threading
import time

turn_s = float(sys.argv[1])
try:
    import _interpreters as interpreters

    inner = interpreters.create("isolated")
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters

    inner = interpreters.create(isolated=True)
    run = interpreters.run_string

CODE = f"""
import time
end = time.monotonic() + {turn_s}
while time.monotonic() < end:
    pass
"""
turns = [threading.Semaphore(1), threading.Semaphore(0)]


def work(number):
    for _ in range(2):
        turns[number].acquire()
        run(inner, CODE)
        turns[1 - number].release()
    turns[1 - number].release()
    done[1 - number].wait()


done = [threading.Event(), threading.Event()]
threads = [threading.Thread(target=work, args=(number,), name=f"runner-{number}") for number in range(2)]
time.sleep(0.7)
for thread in threads:
    thread.start()
time.sleep(4 * turn_s)
for event in done:
    event.set()
for thread in threads:
    thread.join()
