"""--theme and --ascii, on each command that has a screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gilscope.cli import main
from gilscope.cli.looks import look_of
from gilscope.settings import Settings, SettingsFile

COMMANDS = (("run", "x.py"), ("replay", "last"), ("compare", "x.py"), ("lesson", "the-gil"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_unknown_theme_ends_it_before_anything_runs(command: tuple[str, ...]) -> None:
    outcome = CliRunner().invoke(main, [*command, "--theme", "high-contrst"])
    assert outcome.exit_code == 2
    assert "There is no theme high-contrst. Did you mean high-contrast?" in outcome.output
    assert "There are: dark, light, high-contrast, monochrome, " in outcome.output


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_help_has_them(command: tuple[str, ...]) -> None:
    outcome = CliRunner().invoke(main, [command[0], "--help"])
    assert outcome.exit_code == 0
    assert "--theme" in outcome.output
    assert "--ascii" in outcome.output


def test_the_users_settings_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("GILSCOPE_CONFIG", str(path))
    for name, value in (("LANG", "C.UTF-8"), ("TERM", "xterm"), ("LC_ALL", "")):
        monkeypatch.setenv(name, value)
    assert not look_of(None, None).plain
    assert look_of(None, True).plain
    monkeypatch.setenv("TERM", "linux")
    assert look_of(None, None).plain
    assert not look_of(None, False).plain
    SettingsFile(path).save(Settings(theme="light"))
    assert look_of("nord", None).settings.theme == "light"
    assert look_of("nord", None).theme == "nord"
    path.write_text("theme = 3\n")
    broken = look_of(None, None)
    assert (broken.settings, broken.problem) == (
        Settings(),
        f"{path}, theme: expected a text, got a whole number.",
    )
