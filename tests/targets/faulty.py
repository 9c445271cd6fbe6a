"""Children that each do to themselves what makes a process hard to watch; the parent says how each ended."""

import os
import resource
import signal
import sys
import tempfile
import threading
import time


def busy(seconds=0.25):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(500))


def closes_its_streams():
    for number in (0, 1, 2):
        os.close(number)
    busy()


def forks_a_daemon():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            busy()
            os.write(writing, b"daemon")
            os._exit(0)
        os._exit(0)
    os.wait()
    os.close(writing)
    assert os.read(reading, 10) == b"daemon"


def changes_its_title():
    with open("/proc/self/comm", "w") as file:
        file.write("a) b (\x1b[2J\n")
    import ctypes

    ctypes.CDLL(None).prctl(15, b"x) R 1 1", 0, 0, 0)
    busy()


def executes_itself_anew():
    os.execv(sys.executable, [sys.executable, __file__, "anew"])


def hides_its_memory():
    import ctypes

    assert ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0  # PR_SET_DUMPABLE
    busy()


def has_tiny_limits():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    busy()


def deletes_its_directory():
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.rmdir(folder)
    busy()


def changes_its_root():
    folder = tempfile.mkdtemp()
    try:
        os.chroot(folder)
    except PermissionError:
        os.rmdir(folder)
    else:
        os.chdir("/")
    busy()


def runs_out_of_threads():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    threading.stack_size(256 << 20)
    started = []
    done = threading.Event()
    try:
        for _ in range(100):
            thread = threading.Thread(target=done.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        pass
    else:
        raise AssertionError("threads without an end")
    done.set()
    busy()


def dies_by(number):
    def die():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(number, signal.SIG_DFL) if number not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), number)
        time.sleep(5)

    return die


FAULTS = [
    closes_its_streams,
    forks_a_daemon,
    changes_its_title,
    executes_itself_anew,
    hides_its_memory,
    has_tiny_limits,
    deletes_its_directory,
    changes_its_root,
    runs_out_of_threads,
]
DEADLY = [
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGILL,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGKILL,
    signal.SIGSEGV,
    signal.SIGPIPE,
    signal.SIGALRM,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGXCPU,
    signal.SIGSYS,
]


def child(function):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    return pid


if sys.argv[1:] == ["anew"]:
    busy()
    sys.exit(0)
children = {child(function): function.__name__ for function in FAULTS}
children.update({child(dies_by(number)): number.name for number in DEADLY})
busy(0.3)
failed = 0
while children:
    pid, status = os.wait()
    name = children.pop(pid)
    if name.startswith("SIG"):
        good = os.WIFSIGNALED(status) and os.WTERMSIG(status) == getattr(signal, name)
    else:
        good = status == 0
    failed += not good
    print(name, "as ever" if good else "status %d" % status, flush=True)
print("all ended, failed:", failed, flush=True)
sys.exit(7)
