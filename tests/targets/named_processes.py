"""Processes that multiprocessing forks, named in all ways, one after the other, and some that it does not.

Each prints a line of JSON: its pid, and the name that it is to be known by.
"""

import json
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

context = multiprocessing.get_context("fork")
HARMFUL = "\x1b]0;harm\x07\u202e\ud800'\"<b>" + "x" * 1000


def tell(name):
    os.write(1, (json.dumps([os.getpid(), name]) + "\n").encode())


def tell_own(*_):
    tell(multiprocessing.current_process()._name)


def fork():
    if os.fork() == 0:
        tell(None)
        os._exit(0)
    os.wait()


def nested():
    tell_own()
    fork()
    run(context.Process(target=tell_own))


def run(process):
    process.start()
    process.join()


class Text(str):
    def __str__(self):
        tell("never asked")
        return "other"


class Odd(context.Process):
    """Whoever asks it for its name runs code of the user, which fails."""

    asked = False

    @property
    def name(self):
        if Odd.asked:
            tell("never asked")
        raise ValueError

    def __getattribute__(self, name):
        if Odd.asked:
            tell("never asked")
        return super().__getattribute__(name)

    def run(self):
        tell("odd")


def fork_and_ask(real=os.fork):
    """os.fork, wrapped as some libraries do; while it lasts, nobody may ask."""
    Odd.asked = True
    try:
        return real()
    finally:
        Odd.asked = False


tell(None)
fork()
run(context.Process(target=tell_own))
run(multiprocessing.get_context("fork").Process(target=tell_own, name="resizer"))
run(context.Process(target=nested, name="parent"))
run(context.Process(target=tell, args=("text",), name=Text("text")))
run(context.Process(target=tell, args=(HARMFUL[:200],), name=HARMFUL))
unnamed = context.Process(target=tell, args=(None,))
unnamed._name = 7
run(unnamed)
os.fork = fork_and_ask
run(Odd(name="odd"))
with context.Pool(2) as pool:
    pool.map(tell_own, range(8), 1)
with ProcessPoolExecutor(1, mp_context=context) as executor:
    executor.submit(tell_own).result()


def forbid(event, _):
    """An audit hook that lets nobody look at the call stack."""
    if event == "sys._getframe":
        raise RuntimeError


sys.addaudithook(forbid)
run(context.Process(target=tell, args=(None,)))
