"""Who may import whom (DESIGN, section 3), read from the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watched import ROOT

PACKAGE = ROOT / "gilscope"

COMMON = {"gilscope", "model", "errors", "clock", "text", "signals", "folders", "roles"}
"""Whatever stands below all parts; none of it imports a part."""
ALLOWED: dict[str, set[str]] = {
    "model": set(),
    "errors": set(),
    "text": {"model"},
    "clock": {"model"},
    "signals": set(),
    "folders": set(),
    "roles": {"text"},
    "settings": {"gilscope", "errors", "text", "model"},
    "launch": COMMON | {"launch"},
    "sources": COMMON | {"sources"},
    "recording": COMMON | {"recording"},
    "analysis": COMMON | {"analysis"},
    "sampler": COMMON | {"sampler", "sources", "launch", "recording"},
    "doctor": COMMON | {"doctor", "sources", "launch", "recording"},
    "exports": COMMON | {"exports", "recording", "analysis"},
    "views": COMMON | {"views", "recording", "settings"},
    "pytest_plugin": COMMON | {"launch", "recording", "analysis", "exports"},
    "lessons": set(),
    "comparing": COMMON | {"launch", "recording", "analysis", "exports"},
    "serving": COMMON | {"serving"},
    "cli": COMMON
    | {"cli", "settings", "comparing", "doctor", "launch", "sampler", "recording", "analysis", "exports"}
    | {"views"}
    | {"lessons", "serving"},
    "__main__": {"cli"},
    "__init__": set(),
}
ONLY_IN: dict[str, tuple[str, ...]] = {
    "textual": ("views/",),
    "rich": ("views/",),
    "rich_click": ("cli/",),
    "click": ("cli/",),
    "psutil": ("sources/", "launch/"),
    "sqlite3": ("recording/",),
    "subprocess": ("launch/", "sources/pyspy.py", "sources/pyspy_call.py"),
    "elftools": ("sources/elf.py",),
    "platformdirs": ("recording/store.py", "settings.py"),
    "msgspec": ("settings.py", "views/"),
    "tomlkit": ("settings.py",),
    "jinja2": ("exports/html/",),
    "markupsafe": ("exports/html/",),
    "aiohttp": ("serving/",),
    "textual_serve": ("serving/",),
    "ctypes": ("launch/", "sampler/schedule.py", "doctor/reading.py"),
}
"""Libraries that only some files know."""
PURE = {
    "sampler/merge.py", "sampler/stallfold.py", "sampler/fromwithin.py", "analysis/functions.py",
    "analysis/stalls.py", "analysis/waits.py", "sampler/freemerge.py", "sampler/budget.py",
    "analysis/summary.py", "analysis/process_rows.py",
    "analysis/quality.py", "analysis/unknown.py", "analysis/free_threaded.py", "analysis/span.py",
    "analysis/compare.py", "exports/text.py", "exports/compare.py", "text.py", "model.py", "roles.py",
    "exports/spans.py", "exports/cells.py", "exports/screen.py", "exports/names.py",
    "doctor/finding.py", "exports/html/words.py", "views/present.py", "views/axis.py", "views/layout.py",
    "views/lane_rows.py",
    "serving/access.py",
}  # fmt: skip
PURE |= {"views/helping.py", "views/keymap.py", "views/notices.py", "views/words.py"}
PURE |= {
    path.relative_to(PACKAGE).as_posix()
    for part in ("verdict", "limits")
    for path in (PACKAGE / "analysis" / part).rglob("*.py")
}
"""Values in, values out: nothing in them can reach a file, a clock or a process."""
EDGES = {
    "os", "time", "socket", "subprocess", "pathlib", "random", "signal", "sqlite3", "psutil", "select",
    "datetime",
}  # fmt: skip
STANDARD_ONLY = {"launch/shim.py", "launch/threadcounts.py"} | {
    path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / "launch" / "swap").rglob("*.py")
}
"""What runs inside the target; of ours it may import only what is loaded there as well."""


def files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """All modules that a file imports, at its top or later; and whether only for types."""
    tree = ast.parse(path.read_text())
    for_types = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node in for_types
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module, node in for_types
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node in for_types


def ours(module: str) -> str | None:
    """The part of gilscope that a module belongs to."""
    words = module.split(".")
    if words[0] != "gilscope" or len(words) < 2:
        return None
    return words[1] if (PACKAGE / words[1]).exists() or (PACKAGE / f"{words[1]}.py").exists() else None


each_file = pytest.mark.parametrize("path", files(), ids=name_of)


@each_file
def test_only_downward(path: Path) -> None:
    allowed = ALLOWED[part_of(path)]
    found = {part for module, _ in imports(path) if (part := ours(module)) is not None}
    assert found <= allowed


@each_file
def test_libraries_where_they_belong(path: Path) -> None:
    name = name_of(path)
    for module, _ in imports(path):
        allowed = ONLY_IN.get(module.split(".")[0])
        if allowed is not None:
            assert name.startswith(allowed), f"{name} imports {module}"


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_files_reach_nothing(name: str) -> None:
    assert {module.split(".")[0] for module, _ in imports(PACKAGE / name)}.isdisjoint(EDGES)


@pytest.mark.parametrize("path", sorted((PACKAGE / "views" / "render").glob("*.py")), ids=name_of)
def test_renderers_are_pure(path: Path) -> None:
    assert {module.split(".")[0] for module, _ in imports(path)}.isdisjoint(EDGES)
    assert not any(module.startswith(("gilscope.recording", "textual.app")) for module, _ in imports(path))


def test_who_knows_what_a_window_is_drawn_from() -> None:
    """Analysis and present see values only: neither reads a recording."""
    for path in [*(PACKAGE / "analysis").rglob("*.py"), PACKAGE / "views" / "present.py"]:
        for module, _ in imports(path):
            assert ours(module) in (None, "model", "text", "roles", "errors", "analysis", "views"), (
                f"{name_of(path)}: {module}"
            )


@pytest.mark.parametrize("name", sorted(STANDARD_ONLY))
def test_what_runs_in_the_target_needs_the_standard_library_only(name: str) -> None:
    import sys

    for module, for_types in imports(PACKAGE / name):
        if for_types and not name.startswith("launch/swap/"):
            continue
        loaded = name.startswith("launch/swap/") and module.startswith("gilscope.launch.swap.")
        assert loaded or module.split(".")[0] in sys.stdlib_module_names, module


def test_a_command_starts_fast() -> None:
    """What is heavy is imported by the command that needs it, not by all of them."""
    at_top = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for path in (PACKAGE / "cli").glob("*.py")
        if path.name != "viewer.py"  # a process of its own, which is the app
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not {
        name
        for name in at_top
        if name.split(".")[0] in {"textual", "psutil", "sqlite3", "elftools", "jinja2", "msgspec", "tomlkit"}
    }
    slow = ("gilscope.views", "gilscope.recording", "gilscope.settings")
    assert not {name for name in at_top if name.startswith(slow)}


def test_the_rules_know_all_parts() -> None:
    assert {part_of(path) for path in files()} <= ALLOWED.keys()
    assert all((PACKAGE / name).exists() for name in PURE)
