"""The first code in the launched interpreter: says ready, waits for go, and leaves no trace.

It runs inside the target, on any Python from 3.8 on, with the standard library only. The launcher starts the
interpreter with the user's own command line and puts one private directory before PYTHONPATH, whose
`sitecustomize` runs this file (see inject.py). CPython's `site` imports that before any code of the user, and
then runs the program itself. `__main__`, `sys.argv`, `sys.path[0]`, tracebacks, exit codes and deaths by
signal are therefore CPython's own: there is nothing to imitate.

Before user code runs, the traces are gone: PYTHONPATH, `sys.path`, `sys.path_importer_cache` and
`sys.modules` are what they are without gilscope. What stays, and can be found by someone who looks for it:

- two descriptors with high numbers (close-on-exec): a socket to the launcher and a page of counters;
- one `os.register_at_fork` hook, which cannot be listed;
- `os.register_at_fork` itself is a pass-through function until `threading` is imported, and is then put back.
  It is how we notice that import: its last statement calls it. A finder on `sys.meta_path` would be seen, and
  an audit hook would slow every audited event for ever;
- two private functions of `threading` that the interpreter's own code calls once a thread,
  `Thread._set_ident` (in the new thread: started) and `_make_invoke_excepthook` (in `Thread.__init__`:
  created), are wrapped. Neither is in the call stack of user code, so tracebacks, `repr`,
  `inspect.signature`, subclassing and pickling are as before. Threads made with `_thread` directly, and those
  of native libraries, are not counted;
- /proc/PID/environ, where the kernel keeps the environment that the process was started with;
- in a process that was forked, once multiprocessing is loaded: one look at the call stack, which an audit
  hook of the user hears of (`sys._getframe`), for the name that multiprocessing gives the process.

What counts threads is in threadcounts.py, which runs in the same scope, before this.

Code here is compiled with the file name `<gilscope>`, which coverage, debuggers and profilers leave alone.
"""
# ruff: noqa: PTH106, PTH108, PTH120, S110, SIM105, FBT003, TC004

# Why: pathlib and contextlib are not loaded in a plain interpreter, and must not be because of us. Where an
# exception is passed over, the alternative is to disturb the program that is watched.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypedDict

    from gilscope.launch.threadcounts import ThreadCounters, count_threads_once_imported

    class Config(TypedDict):
        """What the launcher writes into the private `sitecustomize`."""

        directory: bytes
        """The private directory, first on PYTHONPATH."""
        pythonpath: bytes | None
        """PYTHONPATH as the user has it; None: not set."""
        reports: tuple[int, int, int]
        """Descriptor, st_dev and st_ino of the socket to the launcher."""
        counters: tuple[int, int, int]
        """The same of the file of thread counters."""
        tracer_pid: int
        """Process that may trace this one where ptrace_scope is 1; 0: nothing to allow."""
        swap: str
        """Code that exchanges threading and multiprocessing (swap/boot.py); empty in mode asis."""


PR_SET_PTRACER = 0x59616D61
NAMING = ("multiprocessing.popen_fork", "multiprocess.popen_fork", "billiard.popen_fork")
"""Modules that fork processes with names: of multiprocessing, and of two libraries that are made after it."""
FRAMES_LOOKED_AT = 8
"""The fork is called by such a module; in between may be those who have wrapped `os.fork`."""
NAME_CHARACTERS = 200
"""So much of a name is told: a message is one datagram."""


class Descriptor:
    """A descriptor of ours, used only as long as it is that: user code may close all and reuse the number."""

    def __init__(self, number: int, device: int, inode: int) -> None:
        self.number = number
        self._identity = (device, inode)

    def is_ours(self) -> bool:
        """Say whether the number still stands for what the launcher left."""
        try:
            status = os.fstat(self.number)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def send(self, message: bytes) -> None:
        """Send one datagram, or drop it: never wait, never raise."""
        try:
            if self.is_ours():
                os.write(self.number, message)
        except Exception:
            pass


def run(config: "Config", cached: "str | None") -> None:
    """Do all of it, then import the user's own `sitecustomize` as if this one had never been.

    Args:
        config: what the launcher wrote.
        cached: where the interpreter put the bytecode of the private `sitecustomize`.

    Raises:
        ImportError: there is no other `sitecustomize`. `site` passes over just this error, as it does without
        us.
    """
    try:
        erase_traces(config, cached)
        prepare(config)
    except Exception:
        pass  # The program runs on unwatched; the launcher sees that nothing was reported.
    if config["swap"]:
        swap(config)
    sys.modules.pop("sitecustomize", None)
    __import__("sitecustomize")


def erase_traces(config: "Config", cached: "str | None") -> None:
    """Put PYTHONPATH and `sys.path` back to what the user has."""
    if config["pythonpath"] is None:
        os.environb.pop(b"PYTHONPATH", None)
    else:
        os.environb[b"PYTHONPATH"] = config["pythonpath"]
    directory = os.fsdecode(config["directory"])
    sys.path[:] = [entry for entry in sys.path if entry != directory]
    sys.path_importer_cache.pop(directory, None)
    if sys.pycache_prefix and cached:
        # Bytecode beside the private sitecustomize goes with its directory; under PYTHONPYCACHEPREFIX it
        # would stay.
        try:
            os.unlink(cached)
            parent = os.path.dirname(cached)
            while parent.startswith(sys.pycache_prefix + os.sep):
                os.rmdir(parent)
                parent = os.path.dirname(parent)
        except OSError:
            pass


def prepare(config: "Config") -> None:
    """Report ready, wait for go, and leave the hooks behind."""
    reports = Descriptor(*config["reports"])
    counters_descriptor = Descriptor(*config["counters"])
    if not reports.is_ours():
        return  # A process that a .pth file started: it has our PYTHONPATH, and is not the target.
    os.set_inheritable(reports.number, False)
    if counters_descriptor.is_ours():
        os.set_inheritable(counters_descriptor.number, False)
    counters = ThreadCounters(counters_descriptor)
    allow_tracer = tracer_permission(config["tracer_pid"])
    allow_tracer()

    def after_in_child() -> None:
        allow_tracer()
        counters.forget()
        try:
            name = forked_name()
        except BaseException:  # whatever it is, it would be printed as an error of the program
            name = None
        told = "null" if name is None else '"%s"' % json_escape(name)
        message = '{"kind":"fork","pid":%d,"ppid":%d,"name":%s}' % (os.getpid(), os.getppid(), told)
        reports.send(message.encode())

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=after_in_child)
        count_threads_once_imported(counters)
    handshake(reports)


def swap(config: "Config") -> None:
    """Give the user's modules threads for processes, or the reverse; where that fails, say so."""
    try:
        exec(config["swap"], {"__name__": "gilscope.launch.swap.boot"})  # noqa: S102 - our own code
    except Exception as error:
        text = "The mode could not be applied, the program ran as it is: %s: %s" % (
            type(error).__name__,
            error,
        )
        message = '{"kind":"note","pid":%d,"note":"failed","text":"%s","file":"","line":0}'
        Descriptor(*config["reports"]).send((message % (os.getpid(), json_escape(text))).encode())


def handshake(reports: Descriptor) -> None:
    """Say ready and wait until the launcher says go or is gone."""
    try:
        reports.send(ready_message())
        os.read(reports.number, 16)
        os.set_blocking(reports.number, False)
    except OSError:
        pass
    except KeyboardInterrupt:
        # Nothing of the program ran yet. `site` would make a fatal error of this; die as Ctrl-C has it. The
        # module is loaded already, as the interpreter itself handles SIGINT.
        _signal: Any = sys.modules["_signal"]

        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        os.kill(os.getpid(), _signal.SIGINT)


def ready_message() -> bytes:
    """Return who we are as JSON, made by hand: a plain interpreter has not loaded the json package."""
    version = sys.version_info
    text = (
        '{"kind":"ready","pid":%d,"version":[%d,%d,%d,"%s",%d],"implementation":"%s","executable":"%s",'
        '"free_threaded":%s}'
    )
    names = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
    name = names.get(sys.implementation.name, json_escape(sys.implementation.name))
    executable = json_escape(sys.executable or "")
    free_threaded = "true" if "t" in getattr(sys, "abiflags", "") else "false"
    return (text % (os.getpid(), *version, name, executable, free_threaded)).encode()


def forked_name() -> "str | None":
    """Return what multiprocessing calls this process, which it has just forked; None: it has not.

    The fork was called by its `Popen._launch(self, process_obj)`, whose frame is below ours. In a process
    that such a child forks in turn there is one as well, further down: but its fork has returned, and so its
    Popen knows a pid.
    """
    if not any(module in sys.modules for module in NAMING):
        return None
    frame: Any = sys._getframe(2)  # noqa: SLF001 - there is no other way
    for _ in range(FRAMES_LOOKED_AT):
        if frame is None:
            return None
        module = dict.get(frame.f_globals, "__name__")
        if type(module) is str and module in NAMING:
            found = frame.f_locals
            popen, process = found["self"], found["process_obj"]
            if own_attribute(popen, "pid") is not None:
                return None
            # Of an object of a class derived from str, the text that it is.
            return str.__str__(own_attribute(process, "_name"))[:NAME_CHARACTERS] or None
        frame = frame.f_back
    return None


def own_attribute(thing: object, name: str) -> "Any":
    """Return an attribute that an object has itself, not from its class, without running code of the user.

    Its class may define `__getattribute__`, properties, and even `__dict__`; its metaclass may as well.
    """
    attributes_of_class: Any = type.__dict__["__dict__"]
    for base in reversed(type.__dict__["__mro__"].__get__(type(thing))):
        attributes = attributes_of_class.__get__(base).get("__dict__")
        if type(attributes) is type(attributes_of_class):
            return dict.get(attributes.__get__(thing), name)
    return None


def json_escape(text: str) -> str:
    """Return the inside of a JSON string of ASCII characters only, lone surrogates included.

    By hand again: the codec for UTF-16, which JSON escapes are in, is a module that is not loaded.
    """
    escaped = ""
    for character in text:
        code = ord(character)
        if 32 <= code < 127 and character not in '"\\':
            escaped += character
        elif code < 0x10000:
            escaped += "\\u%04x" % code
        else:
            escaped += "\\u%04x\\u%04x" % (0xD7C0 + (code >> 10), 0xDC00 | (code & 0x3FF))
    return escaped


def tracer_permission(tracer_pid: int) -> "Callable[[], None]":
    """Return a function that lets that process and its descendants trace the calling one.

    py-spy is our sibling and no ancestor, so ptrace_scope 1 keeps it out unless we name its parent. This
    needs a C call, and `_ctypes` alone, without the ctypes package on top, costs a tenth; it leaves
    `sys.modules` again.
    """
    if not tracer_pid:
        return _nothing
    was_loaded = "_ctypes" in sys.modules
    try:
        library: Any = __import__("_ctypes")
        call: Any = library.call_function
        prctl = library.dlsym(library.dlopen(None, 0), "prctl")
    except Exception:
        return _nothing  # py-spy will say that it may not attach.
    finally:
        if not was_loaded:
            sys.modules.pop("_ctypes", None)

    def allow() -> None:
        try:
            call(prctl, (PR_SET_PTRACER, tracer_pid, 0, 0, 0))
        except Exception:
            pass

    return allow


def _nothing() -> None:
    """Do nothing, where there is nothing to allow."""
