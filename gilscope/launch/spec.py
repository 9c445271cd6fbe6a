"""What to run: script, module or code, its arguments, the interpreter and the surroundings.

Everything that the user can get wrong before a program starts is found here and told in one to three
lines: what is wrong, why, and what to do. Whatever CPython itself reports well, such as a module that
does not exist, is left to it, so that the message is the one the user knows.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

from gilscope.errors import UsageError
from gilscope.launch import functions

Kind = Literal["script", "module", "code"]
MODES: Final = ("asis", "threads", "processes")

OLDEST_WITH_SHIM: Final = (3, 8)
OLDEST_PYTHONS: Final = ((2, 7), (3, 3))
"""What py-spy reads, of Python 2 and of Python 3."""
IDENTIFY_TIMEOUT_S: Final = 10.0

_VERSION_LINE: Final = re.compile(r"^(?P<name>Python|GraalPy) (?P<version>\d+\.\d+\.\d+)")
_IMPLEMENTATION_LINE: Final = re.compile(r"^\[(?P<name>[A-Za-z]+) \d")
_CODE_DISPLAY_CHARACTERS: Final = 40
_CALL: Final = Path(__file__).with_name("swap") / "call.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonIdentity:
    """What an interpreter says it is when asked with `-V`."""

    path: str
    version: tuple[int, int, int]
    implementation: str
    """`CPython`, `PyPy`, `GraalPy` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSpec:
    """A program to watch, as its user would start it by hand."""

    kind: Kind
    target: str
    """Path of the script as typed, name of the module, or the code itself."""
    args: tuple[str, ...] = ()
    python: str
    """Path of the interpreter."""
    mode: str = "asis"
    """asis, threads or processes: what the program's own threads and processes become."""
    function: str | None = None
    """A function of the script or module: it is called in workers, instead of the program being run."""
    workers: int | None = None
    """How many workers call the function."""
    cwd: str | None = None
    """Directory to run in; None: the current one."""
    shim: bool = True
    """Whether the shim goes into it: not below 3.8, where it does not run."""
    version: str | None = None
    """Such as "2.7.18", where it is known before the interpreter says so itself; as `implementation`."""
    implementation: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    """Variables set in addition to the inherited ones, the last of a name wins."""

    def command(self) -> list[str]:
        """Return exactly what a user would type, so that `sys.orig_argv` and `ps` show just that.

        A function of a program has no such command: swap/call.py calls it.
        """
        if self.function is not None:
            words = [str(_CALL), self.kind, self.target, self.function, str(self.workers)]
            return [self.python, *words, *self.args]
        option = {"script": [], "module": ["-m"], "code": ["-c"]}[self.kind]
        return [self.python, *option, self.target, *self.args]

    @property
    def display(self) -> str:
        """The target in a few words for screens: `fib.py`, `-m http.server`, `-c 'import this'`."""
        function = "" if self.function is None else f":{self.function}"
        if self.kind == "script":
            return (Path(self.target).name or self.target) + function
        if self.kind == "module":
            return f"-m {self.target}{function}"
        code = " ".join(self.target.split())
        if len(code) > _CODE_DISPLAY_CHARACTERS:
            code = code[: _CODE_DISPLAY_CHARACTERS - 1] + "…"
        return f"-c '{code}'"

    @property
    def needs_pyspy(self) -> bool:
        """Only py-spy can read a Python so old."""
        return not self.shim

    @property
    def package(self) -> str:
        """The top-level package that `-m` names; empty without one."""
        return self.target.partition(".")[0] if self.kind == "module" else ""

    def to_json(self) -> str:
        """Return the spec as one line of JSON, to hand it to the sampler process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TargetSpec:
        """Return the spec that `to_json` wrote.

        Raises:
            ValueError: the text is no spec.
        """
        fields = json.loads(text)
        if not isinstance(fields, dict) or fields.get("kind") not in get_args(Kind):
            raise ValueError(f"not a target spec: {text[:80]!r}")
        fields["args"] = tuple(fields["args"])
        fields["env"] = tuple((key, value) for key, value in fields["env"])
        return cls(**fields)


def resolve_spec(
    *,
    script: str | None = None,
    module: str | None = None,
    code: str | None = None,
    args: Sequence[str] = (),
    python: str | None = None,
    mode: str = "asis",
    workers: int | None = None,
    cwd: str | None = None,
    env: Sequence[str] = (),
) -> TargetSpec:
    """Check what the user asked for and return it as a spec.

    Exactly one of `script`, `module` and `code` is given; the first two may name a function, as
    `FILE:FUNCTION`, for `workers` to call. `python` is a path or a name to find on PATH,
    by default the interpreter that gilscope runs on. `env` has `K=V` items. A script's path belongs to the
    user's current directory even when `cwd` is given; only then it is made absolute, since `sys.argv[0]`
    and `__file__` must otherwise be just what was typed.

    Raises:
        UsageError: something of it cannot work.
    """
    given = [
        (kind, value) for kind, value in zip(get_args(Kind), (script, module, code), strict=True) if value
    ]
    if len(given) != 1:
        raise UsageError(
            f"{'No' if not given else 'More than one'} program is named: gilscope starts exactly one.\n"
            "Give a SCRIPT, or -m MODULE, or -c CODE."
        )
    kind, target = given[0]
    if mode not in MODES:
        raise UsageError(f"--mode {mode}: there is no such mode.\nGive one of {', '.join(MODES)}.")
    target, function = functions.split(kind, target)
    workers = functions.check_workers(workers, function)
    for what, text in [("program", target), *(("argument", arg) for arg in args)]:
        if "\0" in text:
            raise UsageError(f"The {what} {text!r} holds a NUL character, which no command can. Remove it.")
    if cwd is not None:
        _check_directory(cwd)
    variables = tuple(_variable(item) for item in env)
    identity = _find_python(python)
    interpreter = identity.path
    if kind == "script":
        _check_script(target)
        if function is not None:
            functions.check(target, function)
    if cwd is not None:
        interpreter = _absolute(interpreter)
        target = _absolute(target) if kind == "script" else target
    return TargetSpec(
        kind=cast("Kind", kind),
        target=target,
        args=tuple(args),
        python=interpreter,
        mode=mode,
        function=function,
        workers=workers,
        cwd=cwd,
        shim=identity.version[:2] >= OLDEST_WITH_SHIM,
        version=".".join(map(str, identity.version)),
        implementation=identity.implementation,
        env=variables,
    )


@functools.lru_cache(maxsize=64)
def identify_python(path: str) -> PythonIdentity:
    """Run `PATH -V` and return what it is.

    Only `-V` is ever passed: the path may be anything, and `rm -c …` or `sh -c …` would do something.

    Raises:
        UsageError: it cannot be run, does not answer in time, or answers like no Python.
    """
    advice = "Give --python the path of an interpreter, such as /usr/bin/python3."
    try:
        answer = subprocess.run(
            [path, "-V"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=IDENTIFY_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"{path} is not usable as Python: `{path} -V` did not answer in {IDENTIFY_TIMEOUT_S:.0f} s.\n"
            f"{advice}"
        ) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"{path} cannot be run as Python: {why}.\n{advice}") from None
    lines = answer.stdout.decode(errors="replace").splitlines()
    for position, line in enumerate(lines):
        version = _VERSION_LINE.match(line)
        if version and answer.returncode == 0:
            major, minor, micro = (int(part) for part in version["version"].split("."))
            following = _IMPLEMENTATION_LINE.match(lines[position + 1]) if position + 1 < len(lines) else None
            name = "CPython" if version["name"] == "Python" else version["name"]
            if following and following["name"] not in {"GCC", "Clang"}:
                name = following["name"]
            return PythonIdentity(path=path, version=(major, minor, micro), implementation=name)
    said = repr(lines[0][:80]) if lines else "nothing"
    raise UsageError(
        f"{path} is no Python: `{path} -V` printed {said} and ended with {answer.returncode}.\n{advice}"
    )


def _find_python(python: str | None) -> PythonIdentity:
    """Return the interpreter to use, once it is known to be one that something can read."""
    if python is None:
        name = {"cpython": "CPython", "pypy": "PyPy"}.get(sys.implementation.name, sys.implementation.name)
        return PythonIdentity(path=sys.executable, version=sys.version_info[:3], implementation=name)
    path = python
    if os.sep not in python:
        found = shutil.which(python)
        if found is None:
            raise UsageError(
                f"--python {python}: no such command on PATH.\n"
                "Give the interpreter's path, or check its name."
            )
        path = found
    identity = identify_python(path)
    if identity.version[:2] < min(v for v in OLDEST_PYTHONS if v[0] >= min(3, identity.version[0])):
        raise UsageError(
            f"{path} is Python {'.'.join(map(str, identity.version))}: gilscope watches 2.7, and 3.3 and "
            "later.\nGive --python a newer interpreter."
        )
    return identity


def _check_script(target: str) -> None:
    if target.startswith("-"):
        raise UsageError(
            f"The script name {target} begins with a dash, so Python would take it for an option.\n"
            f"Write ./{target} instead."
        )
    path = Path(target)
    try:
        exists = path.exists()
    except OSError as error:
        raise UsageError(f"Cannot look at {target}: {error.strerror}. Check the path.") from None
    if not exists:
        raise UsageError(
            f"No such script: {target} (looked in {Path.cwd()}).\n"
            "Check the path, or use -m MODULE or -c CODE."
        )
    if path.is_dir():
        if not (path / "__main__.py").is_file():
            raise UsageError(
                f"{target} is a directory without a __main__.py, so Python cannot run it.\n"
                "Name a script in it, or use -m MODULE."
            )
    elif not os.access(path, os.R_OK):
        raise UsageError(
            f"Cannot read {target}: permission denied.\n"
            f"Allow it with `chmod u+r {target}`, or run as its owner."
        )


def _check_directory(cwd: str) -> None:
    if not Path(cwd).is_dir():
        why = "is not a directory" if Path(cwd).exists() else "does not exist"
        raise UsageError(f"--cwd {cwd} {why}, so the program cannot run in it.\nGive an existing directory.")
    if not os.access(cwd, os.X_OK):
        raise UsageError(f"--cwd {cwd}: permission denied.\nGive a directory that you may enter.")


def _variable(item: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not key or not equals or "\0" in item:
        raise UsageError(
            f"--env {item!r} is not of the form NAME=VALUE, so nothing can be set.\n"
            "Write for example --env DEBUG=1."
        )
    return key, value


def _absolute(path: str) -> str:
    """Return the path from the root, with its symbolic links kept: a virtual environment's python is one."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.absolute keeps "..", Path.resolve follows links
