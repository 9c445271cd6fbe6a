"""Compare the table of offsets with the headers of every Python found.

    python -m tests.layouts [--all] [--lines] [PYTHON …]

Without names: those of GILSCOPE_TEST_PYTHONS, pyenv and PATH. Exit code 1 where something differs or a
version is not known (its line to paste is printed), 2 where nothing could be compared.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.layouts.compare import Python, ask, compare
from tests.layouts.headers import PUBLISHES, CannotCompileError, Headers, read
from tests.pythons import found_pythons


def pythons(named: list[str]) -> list[Python]:
    """Each interpreter once."""
    paths = [Path(name) for name in named] or [
        *found_pythons().values(),
        *Path("/usr/bin").glob("python3.*[0-9]"),
        *Path("/usr/local/bin").glob("python3.*[0-9]"),
    ]
    found = {path.resolve(): ask(path) for path in paths}
    return [python for python in found.values() if python is not None]


def check(python: Python, options: argparse.Namespace) -> list[bool | None]:
    """Print how it compares. True where all fits, False where not, None where it could not be asked."""
    results: list[bool | None] = []
    # The headers of a default build describe the free-threaded one as well.
    for free_threaded in (False, True) if python.version >= PUBLISHES else (False,):
        name = f"{python.version[0]}.{python.version[1]}{'t' if free_threaded else ''}"
        try:
            headers = read(python.include, python.version, free_threaded=free_threaded)
        except CannotCompileError as error:
            say(f"{name:6} not compared: {error}")
            results.append(None)
            continue
        results.append(report(f"{name:6} {python.include}", headers, options))
    return results


def report(name: str, headers: Headers, options: argparse.Namespace) -> bool:
    """Print one comparison."""
    rows = compare(headers)
    if rows is None:
        say(f"{name}: this version is not known; to paste into gilscope/sources/layouts.py:")
        say(headers.line())
        return False
    wrong = [row for row in rows if not row.fits]
    say(f"{name}: {len(rows)} numbers, {len(wrong) or 'none'} wrong")
    for row in rows if options.all else wrong:
        mark = "" if row.fits else "   ✗"
        say(f"    {row.name:42} table {row.table!s:>6}   headers {row.headers!s:>6}{mark}")
    if options.lines:
        say(headers.line())
    return not wrong


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.layouts", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--all", action="store_true", help="print the numbers that fit as well")
    parser.add_argument(
        "--lines", action="store_true", help="print each as a line of the table, ready to paste"
    )
    parser.add_argument("python", nargs="*", help="interpreters; without any those found")
    options = parser.parse_args(arguments)
    results = [result for python in pythons(options.python) for result in check(python, options)]
    if False in results:
        return 1
    return 0 if True in results else 2


if __name__ == "__main__":
    sys.exit(main())
