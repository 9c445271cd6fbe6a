"""Each way a Python can be built, started and taken away from under itself, read from live processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gilscope.sources import elf
from gilscope.sources.interpreter import InterpreterReader
from gilscope.sources.memory import (
    Mapping,
    NotReadableError,
    ProcessMemory,
    ReadFailedError,
    files_in,
    mapped_files,
)
from tests.pythons import found_pythons
from tests.watched import ROOT, TARGETS, Watched, wait_for

PYTHONS = found_pythons()


def _ask(python: Path, expression: str) -> str:
    code = f"import os,sys,sysconfig;print({expression})"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _is_static(python: Path) -> bool:
    """Debian builds both and says shared; its executable uses none."""
    return _ask(python, "'/libpython' in open('/proc/self/maps').read()") == "False"


def _candidates() -> dict[str, Path]:
    """Interpreters by the way they are built: all that are found, and the system's."""
    found = {f"{version}": path for version, path in PYTHONS.items()}
    for path in map(Path, ("/usr/bin/python3", "/usr/local/bin/python3")):
        if path.exists() and path.resolve() not in {known.resolve() for known in found.values()}:
            found[str(path)] = path
    return found


BUILDS = {
    f"{name}-{'static' if _is_static(path) else 'shared'}": path
    for name, path in _candidates().items()
    if _ask(path, "sys.version_info >= (3, 8)") == "True"
}
STATIC = {name: path for name, path in BUILDS.items() if name.endswith("static")}
SHARED = {name: path for name, path in BUILDS.items() if name.endswith("shared")}
each_build = pytest.mark.parametrize("build", list(BUILDS))
each_shared = pytest.mark.parametrize("build", list(SHARED))
one_static = pytest.mark.skipif(not STATIC, reason="no Python without libpython was found")
strip = pytest.mark.skipif(shutil.which("strip") is None, reason="strip (binutils) is not there")


@contextmanager
def run(*command: str | Path, **environment: str | Path) -> Iterator[Watched]:
    env = os.environ | {name: str(value) for name, value in environment.items()}
    script = [str(TARGETS / "cpu_threads.py"), "2"]
    with subprocess.Popen([*map(str, command), *script], stdin=-1, stdout=-1, env=env) as process:
        try:
            yield Watched(process)
        finally:
            process.kill()


def check(target: Watched) -> None:
    """It is found, its threads hold the GIL in turn, and one waits for it."""
    reader = InterpreterReader.open(target.pid)
    try:
        (probe,) = reader.probes()
        holders: set[int] = set()
        waiters: set[int] = set()

        def both_seen() -> bool:
            sample = probe.sample()
            holders.add(sample.tid)
            waiters.add(sample.waiters)
            return holders.issuperset(target.tids) and 1 in waiters

        wait_for(both_seen, f"holders {holders}, waiters {waiters}")
        assert holders <= {0, target.pid, *target.tids}  # the first thread may still print
        assert waiters <= {0, 1, 2}
    finally:
        reader.close()


@pytest.fixture
def no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be opened: only what is mapped."""

    def refuse(_path: str, _symbol: str) -> int | None:
        pytest.fail("a file was read")

    monkeypatch.setattr(elf, "_offset_in_file", refuse)


@pytest.fixture
def only_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is mapped tells nothing."""

    def refuse(_memory: ProcessMemory, _start: int, _symbol: str) -> int | None:
        raise ReadFailedError("refused")

    monkeypatch.setattr(elf, "symbol_in_memory", refuse)


@each_build
@pytest.mark.usefixtures("no_file")
def test_as_installed(build: str) -> None:
    with run(BUILDS[build]) as target:
        check(target)


@each_build
@pytest.mark.usefixtures("only_files")
def test_by_its_files(build: str) -> None:
    """The other way, for a Python that exports nothing."""
    with run(BUILDS[build]) as target:
        check(target)


@each_build
@pytest.mark.parametrize("how", ["--symlinks", "--copies"])
def test_in_a_virtual_environment(build: str, how: str, tmp_path: Path) -> None:
    made = subprocess.run(
        [BUILDS[build], "-m", "venv", "--without-pip", how, tmp_path / "env"],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("this Python cannot make virtual environments")
    with run(tmp_path / "env/bin/python") as target:
        check(target)


def _copied(build: str, tmp_path: Path, name: str) -> tuple[Path, str]:
    """A copy of the executable, and where its library of modules is."""
    copy = tmp_path / name
    shutil.copy(_ask(BUILDS[build], "os.path.realpath(sys.executable)"), copy)
    return copy, _ask(BUILDS[build], "sys.base_prefix")


def _copied_library(build: str, tmp_path: Path) -> Path:
    name = _ask(BUILDS[build], "sysconfig.get_config_var('INSTSONAME')")
    folder = _ask(BUILDS[build], "sysconfig.get_config_var('LIBDIR')")
    return Path(shutil.copy(Path(folder) / name, tmp_path / name))


def _maps(target: Watched, path: Path) -> bool:
    return str(path) in Path(f"/proc/{target.pid}/maps").read_text()


@each_build
@pytest.mark.parametrize("name", ["worker", "a name with spaces (deleted)", "wörk\x0ber\u2028x"])
@pytest.mark.usefixtures("no_file")
def test_renamed(build: str, name: str, tmp_path: Path) -> None:
    copy, home = _copied(build, tmp_path, name)
    with run(copy, PYTHONHOME=home) as target:
        check(target)


@each_build
@pytest.mark.usefixtures("no_file")
def test_an_executable_deleted_while_it_runs(build: str, tmp_path: Path) -> None:
    copy, home = _copied(build, tmp_path, "worker")
    with run(copy, PYTHONHOME=home) as target:
        copy.unlink()
        check(target)


@each_build
@pytest.mark.usefixtures("no_file")
def test_an_executable_replaced_while_it_runs(build: str, tmp_path: Path) -> None:
    copy, home = _copied(build, tmp_path, "python3")
    with run(copy, PYTHONHOME=home) as target:
        other = tmp_path / "new"
        shutil.copy(shutil.which("true") or sys.executable, other)
        other.replace(copy)
        check(target)


@each_shared
@pytest.mark.usefixtures("no_file")
def test_a_library_deleted_while_it_runs(build: str, tmp_path: Path) -> None:
    """As an upgrade does it."""
    copy = _copied_library(build, tmp_path)
    with run(BUILDS[build], LD_LIBRARY_PATH=tmp_path) as target:
        if not _maps(target, copy):
            pytest.skip("its executable names the folder of its library")
        copy.unlink()
        check(target)


@strip
@each_build
@pytest.mark.usefixtures("no_file")
def test_stripped(build: str, tmp_path: Path) -> None:
    copy, home = _copied(build, tmp_path, "worker")
    subprocess.run(["strip", "-s", copy], check=True)
    environment: dict[str, str | Path] = {"PYTHONHOME": home}
    if build in SHARED:
        library = _copied_library(build, tmp_path)
        library.chmod(0o755)
        subprocess.run(["strip", "-s", library], check=True)
        environment["LD_LIBRARY_PATH"] = tmp_path
    with run(copy, **environment) as target:
        assert build in STATIC or _maps(target, library)
        check(target)


@one_static
def test_a_python_that_exports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that contains Python may hide its symbols; then they are in its file, if they are."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not there")
    build, python = next(iter(STATIC.items()))
    config = "sysconfig.get_config_var('{}') or ''"
    archive = Path(_ask(python, config.format("LIBPL"))) / _ask(python, config.format("LIBRARY"))
    if not archive.exists():
        pytest.skip(f"{build} has no static library")
    source = tmp_path / "own.c"
    source.write_text("#include <Python.h>\nint main(int c, char **v) { return Py_BytesMain(c, v); }\n")
    libraries = _ask(
        python, "' '.join(sysconfig.get_config_var(name) or '' for name in ('LIBS', 'MODLIBS', 'SYSLIBS'))"
    ).split()
    include = _ask(python, "sysconfig.get_path('include')")
    made = subprocess.run(
        ["gcc", "-no-pie", f"-I{include}", source, archive, *libraries, "-o", tmp_path / "own"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"it cannot be linked here: {made.stderr[-200:]}")
    with run(tmp_path / "own", PYTHONHOME=_ask(python, "sys.base_prefix")) as target:
        check(target)
        # Not exported, and its file is gone: that is told as what it looks like.
        monkeypatch.setattr(Path, "stat", _gone)
        with pytest.raises(NotReadableError, match="no CPython"):
            InterpreterReader.open(target.pid)


def _gone(path: Path, **_: object) -> os.stat_result:
    raise FileNotFoundError(path)


_IN_NAMESPACE = "mount -t tmpfs none {0} && cp {1} {0}/python3 && exec {0}/python3 {2} 2"


@one_static
@pytest.mark.usefixtures("no_file")
def test_in_another_mount_namespace(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("mount namespaces are not allowed here")
    python = next(iter(STATIC.values())).resolve()
    command = _IN_NAMESPACE.format(tmp_path, python, TARGETS / "cpu_threads.py")
    with run("unshare", "-rm", "sh", "-c", command) as target:
        assert not (tmp_path / "python3").exists()
        check(target)


@each_shared
def test_without_the_right_to_open_what_is_mapped(build: str, tmp_path: Path) -> None:
    """As an ordinary user: /proc/PID/map_files is for root, so a deleted library is in memory only."""
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root, and setpriv is not there")
    without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
    copy = _copied_library(build, tmp_path)
    program = f"""
        import os, subprocess, sys
        from gilscope.sources.interpreter import InterpreterReader
        from gilscope.sources.memory import mapped_files
        env = dict(os.environ, LD_LIBRARY_PATH={str(tmp_path)!r})
        with subprocess.Popen({[str(BUILDS[build]), str(TARGETS / "sleepers.py"), "1", "600"]!r}, env=env,
                              stdout=-1) as target:
            try:
                target.stdout.readline()
                os.unlink({str(copy)!r})
                (mapping,) = [m for m in mapped_files(target.pid) if m.path == {str(copy)!r}]
                try:
                    open(mapping.readable_at).close()
                except PermissionError:
                    print("not allowed", end=" ")
                print("found", InterpreterReader.open(target.pid).layout.version)
            finally:
                target.kill()
    """
    done = subprocess.run(
        [*without, sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("not allowed found"), done.stdout


@one_static
def test_an_executable_that_must_not_be_read(tmp_path: Path) -> None:
    """The kernel protects the memory of such a process from ordinary users; root reads it all the same."""
    build = next(iter(STATIC))
    copy, home = _copied(build, tmp_path, "worker")
    copy.chmod(0o111)
    with run(copy, PYTHONHOME=home) as target:
        if os.access(copy, os.R_OK):
            check(target)
        else:
            with pytest.raises(ReadFailedError, match="denied"):
                InterpreterReader.open(target.pid)


_MAPS_ITSELF = """
import mmap, sys, threading, time
path = next(line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if "python" in line
            and ("libpython" in line or sys.argv[1] == "static"))
file = open(path, "rb")
maps = [mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) for _ in range(2)]
def work():
    while True:
        pass
threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
print("READY", *[thread.native_id for thread in threads], flush=True)
time.sleep(600)
"""


@each_build
@pytest.mark.usefixtures("no_file")
def test_one_that_maps_its_own_file_once_more(build: str, tmp_path: Path) -> None:
    script = tmp_path / "maps_itself.py"
    script.write_text(_MAPS_ITSELF)
    command = [str(BUILDS[build]), str(script), "static" if build in STATIC else "shared"]
    with subprocess.Popen(command, stdin=-1, stdout=-1) as process:
        try:
            target = Watched(process)
            names = [mapping.path for mapping in mapped_files(target.pid) if "python" in mapping.path]
            assert max(map(names.count, names)) == 3
            check(target)
        finally:
            process.kill()


MAPS = """\
55d0c0a00000-55d0c0a01000 r--p 00000000 08:01 11 /usr/bin/python3.12
55d0c0a01000-55d0c0a02000 r-xp 00001000 08:01 11 /usr/bin/python3.12
7e0000000000-7e0000001000 r--p 00000000 08:01 11 /usr/bin/python3.12
7f0000000000-7f0000001000 r--p 00000000 08:01 12 /usr/lib/a name  with spaces.so
7f0000002000-7f0000003000 r--p 00000000 08:01 13 /usr/lib/gone.so (deleted)
7f0000003000-7f0000004000 r--p 00000000 08:01 14 /odd/\x0c\u2028\x85name
7f0000004000-7f0000005000 rw-p 00000000 00:00 0
7f0000005000-7f0000006000 rw-s 00000000 00:01 15 /memfd:x (deleted)
7ffd00000000-7ffd00001000 rw-p 00000000 00:00 0 [stack]
"""


def test_a_map_is_read_line_by_line() -> None:
    found = files_in(MAPS, 1)
    assert [(mapping.start, mapping.path) for mapping in found] == [
        (0x55D0C0A00000, "/usr/bin/python3.12"),
        (0x7E0000000000, "/usr/bin/python3.12"),
        (0x7F0000000000, "/usr/lib/a name  with spaces.so"),
        (0x7F0000002000, "/usr/lib/gone.so"),
        (0x7F0000003000, "/odd/\x0c\u2028\x85name"),
        (0x7F0000005000, "/memfd:x"),
    ]
    assert all(isinstance(mapping, Mapping) for mapping in found)


def test_each_exported_symbol_is_where_the_loader_says() -> None:
    """Every library of this very process, against its own loader."""
    import ctypes.util

    memory = ProcessMemory(os.getpid())
    program, of_c = ctypes.CDLL(None), ctypes.CDLL(ctypes.util.find_library("c"))
    names = ["PyGC_Enable", "Py_Initialize", "exit", "malloc", "pthread_create", "no_such_symbol"]
    found: dict[str, set[int]] = {name: set() for name in names}
    for mapping in mapped_files(os.getpid()):
        for name in names:
            try:
                address = elf.symbol_in_memory(memory, mapping.start, name)
            except ReadFailedError:
                continue
            if address is not None:
                found[name].add(address)
    for name in names[:-1]:
        # A program at fixed addresses has one of its own for what it calls in a library.
        expected = {
            ctypes.cast(getattr(library, name), ctypes.c_void_p).value
            for library in (program, of_c)
            if hasattr(library, name)
        }
        assert expected & found[name]
    assert not found["no_such_symbol"]
    memory.close()
