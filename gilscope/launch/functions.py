"""FILE:FUNCTION and MODULE:FUNCTION: split from the rest, and checked before anything runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

from gilscope.errors import UsageError

MOST_WORKERS: Final = 10_000
_NAMED: Final = re.compile(r"^(?P<target>.+):(?P<function>[^\W\d]\w*(\.[^\W\d]\w*)*)$")
_SHOWN: Final = 5


def split(kind: str, target: str) -> tuple[str, str | None]:
    """Return the script or module, and the function if one is named; a file of that name comes first."""
    match = _NAMED.match(target) if kind != "code" else None
    if match is None or "\0" in target or (kind == "script" and _exists(target)):
        return target, None
    return match["target"], match["function"]


def _exists(target: str) -> bool:
    try:
        return Path(target).exists()
    except OSError:  # longer than any name, say: told where scripts are checked
        return False


def check_workers(workers: int | None, function: str | None) -> int | None:
    """Return how many workers there are to be: one, if a function is named and nothing is said.

    Raises:
        UsageError: there is nothing to call, or the number makes no sense.
    """
    if workers is None:
        return None if function is None else 1
    if function is None:
        raise UsageError(
            f"--workers {workers} needs a function to call: a script starts its own workers.\n"
            "Name it as SCRIPT:FUNCTION, or -m MODULE:FUNCTION."
        )
    if not 1 <= workers <= MOST_WORKERS:
        raise UsageError(
            f"--workers {workers} is out of range: it is the number of workers, from 1 to {MOST_WORKERS:,}.\n"
            "Leave --workers out for one."
        )
    return workers


def check(script: str, function: str) -> None:
    """Look, without running it, whether a script has that function; where that cannot be told, it is let be.

    Raises:
        UsageError: it has none, or that name is no function.
    """
    try:
        tree = ast.parse(Path(script).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # Python itself says best what is wrong, and may know a newer syntax
    name, _, attribute = function.partition(".")
    found = _bound(tree)
    if found is None:
        return
    if name not in found:
        functions = [other for other, callable_ in found.items() if callable_ and not other.startswith("_")]
        has = f"It has {', '.join(functions[:_SHOWN])}." if functions else "It has no function at all."
        raise UsageError(f"{script} has no function {name}.\n{has}")
    if found[name] is False and not attribute:
        raise UsageError(f"{name} of {script} is no function, so workers cannot call it.\nName a function.")


def _bound(tree: ast.Module) -> dict[str, bool | None] | None:
    """All names that a module binds: whether they can be called, None where that is open; None: unknown."""
    found: dict[str, bool | None] = {}
    nodes: list[ast.AST] = list(tree.body)
    while nodes:
        node = nodes.pop(0)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found[node.name] = True
            case ast.ImportFrom(names=[ast.alias(name="*")]) | ast.Name(id="globals" | "exec" | "setattr"):
                return None
            case ast.Import() | ast.ImportFrom():
                names = [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
                found.update(dict.fromkeys(names))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()):
                found.setdefault(name, False)
            case ast.Name(ctx=ast.Store()):
                found[node.id] = None
            case ast.Lambda():
                pass
            case _:
                nodes[:0] = ast.iter_child_nodes(node)
    return found
