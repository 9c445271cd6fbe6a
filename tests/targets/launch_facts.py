"""Print all that a program can see of how it was started."""

import os
import sys

before = os.open("/dev/null", os.O_RDONLY)
os.close(before)
descriptors = sorted(int(name) for name in os.listdir("/proc/self/fd"))
loaded = list(sys.modules)
names = dir()
spec = __spec__
path = list(sys.path)
cache = sorted(sys.path_importer_cache)
meta = [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path]
hooks = len(sys.path_hooks)

# Above 900 are those of the launcher; a plain start has none there.
print("first descriptor", before)
print("descriptors", [number for number in descriptors if number < 900])
print(
    "name",
    __name__,
    "file",
    __file__,
    "spec",
    spec,
    "package",
    __package__,
    "loader",
    type(__loader__).__name__,
)
print("doc", __doc__, "builtins", __builtins__)
print("names", names)
print("argv", sys.argv, "orig", getattr(sys, "orig_argv", None))
print("flags", sys.flags)
print("path", path)
print("cache", cache)
print("meta", meta, hooks)
print("modules", loaded)
print("executable", sys.executable, sys.prefix, sys.exec_prefix, sys.base_prefix)
print("environ", list(os.environ.items()))
print("environb", list(os.environb.items()))
os.system("env | grep -a -i -e gilscope -e PYTHON")
print("cwd", os.getcwd())
print("session", os.getsid(0) == os.getsid(os.getppid()), os.getpgrp() == os.getpgid(os.getppid()))
print(
    "hooks", sys.excepthook, sys.displayhook, sys.gettrace(), sys.getprofile(), sys.flags.dont_write_bytecode
)
print("cached", "sitecustomize" in sys.modules, "usercustomize" in sys.modules)
print("tty", [os.isatty(number) for number in range(3)])

import threading

print("os", os.register_at_fork)
print("modules after threading", list(sys.modules))
print("threading", sorted(vars(threading)), list(vars(threading.Thread)))
import inspect

print(inspect.signature(threading.Thread), threading.Thread, threading.Thread.__module__)
print(inspect.signature(threading.Thread.start), len(inspect.getsource(threading.Thread)))
