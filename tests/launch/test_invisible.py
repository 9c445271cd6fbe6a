"""A launched program sees, says and ends byte for byte as with plain `python`, on every version."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gilscope.launch.spec import Kind, TargetSpec
from tests.launch.conftest import TARGETS, Runner
from tests.launch.driver import DRIVER
from tests.pythons import found_pythons


def script_spec(python: str, target: str | Path, *args: str, **fields: Any) -> TargetSpec:
    return TargetSpec(kind="script", target=str(target), python=python, args=args, **fields)


def code_spec(python: str, code: str, *args: str, **fields: Any) -> TargetSpec:
    return TargetSpec(kind="code", target=code, python=python, args=args, **fields)


def test_a_program_sees_what_it_sees_without_us(python: str, assert_same: Runner) -> None:
    pair = assert_same(script_spec(python, TARGETS / "launch_facts.py", "a b", "--headless", "é"), anew=True)
    assert b"first descriptor 3" in pair.plain.stdout
    assert b"threading" in pair.plain.stdout
    assert pair.plain.returncode == 0
    assert pair.seen["ready"]["executable"] == python
    assert pair.seen["ready"]["pid"] == pair.seen["pid"]
    assert not pair.seen["before_go"]


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONPATH": "here:/nowhere"},
        {"PYTHONPATH": ""},
        {"PYTHONPATH": "here:"},
        {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
        {"PYTHONNOUSERSITE": "1", "PYTHONHASHSEED": "7", "PYTHONUTF8": "0", "LC_ALL": "C"},
        {"PYTHONPYCACHEPREFIX": "prefix", "PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
    ],
    ids=lambda env: "+".join(f"{key}={value}" for key, value in env.items()),
)
def test_the_users_own_variables_work(
    python: str, env: dict[str, str], assert_same: Runner, tmp_path: Path
) -> None:
    env = {key: value.replace("here", str(tmp_path / "häre")) for key, value in env.items()}
    if "PYTHONPYCACHEPREFIX" in env:
        env["PYTHONPYCACHEPREFIX"] = str(tmp_path / "prefix")
    pair = assert_same(script_spec(python, TARGETS / "launch_facts.py"), env=env)
    assert pair.plain.returncode == 0
    assert not [path for path in (tmp_path / "prefix").rglob("*") if "gilscope-" in path.name]


def test_pythonhome(python: str, assert_same: Runner) -> None:
    home = subprocess.check_output([python, "-c", "import sys; print(sys.base_prefix)"], text=True).strip()
    assert_same(script_spec(python, TARGETS / "launch_facts.py"), env={"PYTHONHOME": home})


def test_permission_for_a_tracer_leaves_no_trace(python: str, assert_same: Runner) -> None:
    assert_same(script_spec(python, TARGETS / "launch_facts.py"), driver_options=("--allow-tracer",))
    code = "import ctypes; print(ctypes.CDLL(None).getpid() > 0, ctypes.sizeof(ctypes.c_long))"
    assert_same(code_spec(python, code), driver_options=("--allow-tracer",))


@pytest.mark.parametrize("chain", ["absent", "present", "failing", "missing import"])
def test_the_users_sitecustomize_runs_once(
    python: str, chain: str, assert_same: Runner, tmp_path: Path
) -> None:
    own = {
        "present": "import sys; print('own custom', __name__, __spec__, __file__, __name__ in sys.modules)",
        "failing": "1 / 0",
        "missing import": "import nowhere_to_be_found",
    }
    if chain in own:
        (tmp_path / "sitecustomize.py").write_text(own[chain])
    (tmp_path / "usercustomize.py").write_text("print('user')")
    code = "import sys; print(sys.modules.get('sitecustomize'))"
    pair = assert_same(code_spec(python, code), env={"PYTHONPATH": str(tmp_path)})
    assert (b"own custom" in pair.plain.stdout) == (chain == "present")


@pytest.mark.parametrize("where", ["script", "module"])
def test_a_virtual_environment(python: str, where: str, assert_same: Runner, tmp_path: Path) -> None:
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=60)
    inner = str(tmp_path / "venv" / "bin" / "python")
    if where == "script":
        assert_same(script_spec(inner, TARGETS / "launch_facts.py"))
    else:
        assert_same(TargetSpec(kind="module", target="site", python=inner))


def test_pickling_and_spawn(python: str, assert_same: Runner) -> None:
    pair = assert_same(script_spec(python, TARGETS / "launch_pickle.py"))
    assert b"[0, 2, 4, 6]" in pair.plain.stdout
    assert b"[None] None 0" in pair.plain.stdout


QUIET = {"PYTHONWARNINGS": "ignore"}
"""Since 3.12 fork() warns if the kernel still sees a thread that has just ended: a matter of luck."""

CODES: dict[str, str] = {
    "input": "print(repr(input('? ')), repr(input()))",
    "uncaught": "def f():\n    1 / 0\nf()",
    "chained": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e",
    "in a thread": "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()",
    "missing import": "import nowhere_to_be_found",
    "import error": "from os import nothing_such",
    "syntax": "def f(:\n    pass",
    "exit 0": "import sys; sys.exit(0)",
    "exit 1": "import sys; sys.exit(1)",
    "exit 42": "import sys; print('x'); sys.exit(42)",
    "exit text": "import sys; sys.exit('text é')",
    "os._exit": "import os; os._exit(7)",
    "abort": "import os; os.abort()",
    "kill": "import os; os.kill(os.getpid(), 9)",
    "segv": "import ctypes; ctypes.string_at(0)",
    "interrupt": "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(30)",
    "broken pipe": """
import os, signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
r, w = os.pipe()
os.close(r)
os.write(w, b'x')""",
    "dispositions": """
import signal
print([(s, str(signal.getsignal(s))) for s in range(1, 32)], signal.pthread_sigmask(0, []))""",
    "atexit": """
import atexit, threading
atexit.register(print, 'bye')
threading.Thread(target=print, args=('t',)).start()""",
    "register_at_fork": """
import os, random
os.register_at_fork(before=lambda: print('b', flush=True))
if os.fork() == 0: os._exit(0)
os.wait()""",
    "subprocess": """
import subprocess, sys
code = 'import os, sys; print(list(os.environ), os.listdir("/proc/self/fd"), list(sys.modules))'
print(subprocess.check_output([sys.executable, '-c', code]))
print(subprocess.check_output([sys.executable, '-c', code], close_fds=False))""",
    "exec": """
import os, sys
code = 'import os; print(os.listdir("/proc/self/fd"), os.environ)'
os.execv(sys.executable, [sys.executable, '-c', code])""",
    "cannot start": """
import threading
threading._start_joinable_thread = threading._start_new_thread = None
threading.Thread().start()""",
    "no threads left": """
import resource, threading, traceback
resource.setrlimit(resource.RLIMIT_AS, (resource.getrlimit(resource.RLIMIT_AS)[1],) * 2)
threading.stack_size(1 << 46)
threading.Thread().start()""",
}


def endings() -> list[tuple[str, str, Kind]]:
    """Version, name, kind: each program on each version, by turns as a script and as code."""
    kinds: tuple[Kind, Kind] = ("script", "code")
    return [
        (version, name, kinds[(row + column) % 2])
        for row, version in enumerate(found_pythons())
        for column, name in enumerate(CODES)
    ]


@pytest.mark.parametrize(("version", "name", "kind"), endings())
def test_a_program_ends_as_without_us(
    version: str, name: str, kind: Kind, assert_same: Runner, tmp_path: Path
) -> None:
    python = str(found_pythons()[version])
    code = CODES[name]
    target = code
    if kind == "script":
        (tmp_path / "program.py").write_text(code, encoding="utf-8")
        target = "program.py"
    pair = assert_same(
        TargetSpec(kind=kind, target=target, python=python, args=("x",)), stdin="ab é\nsecond\n".encode()
    )
    expected = {
        "exit 42": 42,
        "os._exit": 7,
        "abort": -signal.SIGABRT,
        "kill": -9,
        "interrupt": -signal.SIGINT,
        "segv": -signal.SIGSEGV,
    }
    assert pair.plain.returncode == expected.get(name, pair.plain.returncode)


def test_packages_directories_and_missing_modules(python: str, assert_same: Runner, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text((TARGETS / "launch_facts.py").read_text())
    assert_same(TargetSpec(kind="module", target="package", python=python, args=("-m", "x")))
    assert_same(script_spec(python, "package"))
    assert_same(TargetSpec(kind="module", target="package.nothing", python=python))
    assert_same(TargetSpec(kind="module", target="json.tool", python=python), stdin=b'{"a": 1}')


def test_cwd_and_env(python: str, assert_same: Runner, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    assert_same(
        script_spec(
            python,
            TARGETS / "launch_facts.py",
            cwd=str(inner),
            env=(("A", "1"), ("PYTHONPATH", str(inner)), ("A", "2=3")),
        )
    )


def test_a_program_that_closes_every_descriptor(python: str, assert_same: Runner) -> None:
    pair = assert_same(script_spec(python, TARGETS / "launch_closerange.py"), env=QUIET)
    assert pair.plain.stdout == b"3 1202 0 False\n"


def test_threads_are_counted(python: str, assert_same: Runner) -> None:
    pair = assert_same(script_spec(python, TARGETS / "launch_threads.py"))
    assert b"1024" in pair.plain.stdout
    assert pair.seen["threads"][-1] == {"pid": pair.seen["pid"], "created": 8, "started": 6}


def test_forks_are_reported(python: str, run_both: Runner) -> None:
    pair = run_both(script_spec(python, TARGETS / "launch_fork.py"), env=QUIET)
    words = [line.split() for line in pair.launched.stdout.decode().splitlines()]
    parent = next(int(line[1]) for line in words if line and line[0] == "parent")
    children = [(int(line[1]), int(line[2])) for line in words if line and line[0] == "child"]
    assert parent == pair.seen["pid"]
    assert [(fork["pid"], fork["ppid"]) for fork in pair.seen["forks"]] == children
    assert {ppid for _, ppid in children} == {parent}
    assert {fork["name"] for fork in pair.seen["forks"]} == {None}
    assert [line for line in words if line and line[0] == "status"] == [["status", "0"], ["status", "1280"]]
    last = {report["pid"]: (report["created"], report["started"]) for report in pair.seen["threads"]}
    assert last == {parent: (1, 1), children[1][0]: (5, 5)}
    assert pair.launched.stderr == pair.plain.stderr == b""


def test_an_inherited_descriptor_of_the_shell_is_kept(python: str, tmp_path: Path) -> None:
    (tmp_path / "input").write_text("from the shell")
    spec = code_spec(python, "import os; print(os.read(3, 100))")
    command = 'exec "$0" "$@" 3<input'
    result = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, DRIVER, tmp_path / "seen", spec.to_json()],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    assert result.stdout == b"b'from the shell'\n"


def test_nothing_is_left_in_the_temporary_directory(python: str, run_both: Runner, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    run_both(code_spec(python, "print(1)"), env={"TMPDIR": str(temporary)})
    assert list(temporary.iterdir()) == []
