"""Settings that are remembered: read strictly, changed gently."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gilscope.errors import UsageError
from gilscope.settings import DEFAULTS, PANELS, Layout, Settings, SettingsFile, decode, default_path

replaced = msgspec.structs.replace


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "gilscope" / "config.toml")


def written(file: SettingsFile, text: str) -> SettingsFile:
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.path.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("theem = 'x'", "there is no setting theem. Did you mean theme?"),
        ("zzz = 1", "there is no setting zzz. There are: theme, cell_ms,"),
        ("[layout]\npanel = []", "there is no setting layout.panel. Did you mean panels?"),
        ("frame_rate = 'x'", "frame_rate: expected a whole number, got a text."),
        ("frame_rate = 0", "frame_rate: expected a whole number >= 1."),
        ("frame_rate = true", "frame_rate: expected a whole number, got true or false."),
        ("fold = 1", "fold: expected true or false, got a whole number."),
        ("layout = 3", "layout: expected a table, got a whole number."),
        ("[layout]\npanels = [1]", "layout.panels[0]: expected a text"),
        ("[layout]\npanels = ['lane']", "layout.panels: there is no panel lane. Did you mean lanes?"),
        ("[layout]\npanels = ['gil', 'gil']", "layout.panels: a panel is named twice"),
        ("[layout]\npanels = []", "layout.panels: no panel is left"),
        ("[layout.rows]\nlanes = 1.5", "layout.rows, a value of it: expected a whole number"),
        ("[layout.rows]\nlane = 1", "layout.rows: there is no panel lane. Did you mean lanes?"),
        ("theme =", "is no TOML"),
        ("'\\u001b[2J' = 1", "there is no setting '\ufffd[2J'"),
    ],
)
def test_what_is_wrong_is_told_with_its_key_and_file(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode(text.replace("'\\u001b", '"\\u001b').replace("2J' =", '2J" ='), "config.toml")
    assert told.replace("'", "") in str(caught.value)
    assert str(caught.value).startswith("config.toml")
    assert "\x1b" not in str(caught.value)
    assert "`" not in str(caught.value)


def test_without_a_file_all_is_as_it_comes(file: SettingsFile) -> None:
    assert file.load() == DEFAULTS
    file.save(DEFAULTS)
    assert not file.path.exists()


def test_what_is_written_is_private_and_whole(file: SettingsFile) -> None:
    file.save(replaced(DEFAULTS, theme="light", layout=Layout(rows={"lanes": 3})))
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert [other.name for other in file.path.parent.iterdir()] == ["config.toml"]
    assert tomllib.loads(file.path.read_text()) == {"theme": "light", "layout": {"rows": {"lanes": 3}}}


def test_comments_and_order_stay(file: SettingsFile) -> None:
    written(file, "# mine\nframe_rate = 20 # slow\n\n[layout] # of mine\npanels = ['gil', 'lanes'] # two\n")
    file.save(replaced(file.load(), frame_rate=15, layout=replaced(file.load().layout, rows={"gil": 2})))
    text = file.path.read_text()
    assert text.startswith(
        "# mine\nframe_rate = 15 # slow\n\n[layout] # of mine\npanels = ['gil', 'lanes'] # two\n"
    )
    assert file.load().layout == Layout(panels=("gil", "lanes"), rows={"gil": 2})


def test_a_link_stays_one(file: SettingsFile, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("fold = true\n")
    file.path.parent.mkdir()
    file.path.symlink_to(target)
    file.save(replaced(file.load(), theme="light"))
    assert file.path.is_symlink()
    assert "light" in target.read_text()


@pytest.mark.parametrize("text", ["theme = ", "them = 'light'", "cell_ms = 'x'"])
def test_a_broken_file_is_left_alone(file: SettingsFile, text: str) -> None:
    written(file, text)
    with pytest.raises(UsageError, match=r"config\.toml"):
        file.save(replaced(DEFAULTS, theme="light"))
    assert file.path.read_text() == text


def test_a_file_that_cannot_be_read_or_written_says_why(file: SettingsFile, tmp_path: Path) -> None:
    written(file, "")
    file.path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        file.load()
    (tmp_path / "in-the-way").touch()
    with pytest.raises(UsageError, match="cannot be"):
        SettingsFile(tmp_path / "in-the-way" / "config.toml").save(replaced(DEFAULTS, fold=True))


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GILSCOPE_CONFIG", str(tmp_path / "mine.toml"))
    assert default_path() == tmp_path / "mine.toml"
    monkeypatch.delenv("GILSCOPE_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert default_path() == tmp_path / "xdg" / "gilscope" / "config.toml"


settings_values = st.builds(
    Settings,
    theme=st.sampled_from(["dark", "light", "nord"]),
    cell_ms=st.integers(1, 60_000),
    frame_rate=st.integers(1, 60),
    fold=st.booleans(),
    layout=st.builds(
        Layout,
        panels=st.lists(st.sampled_from(PANELS), unique=True, min_size=1).map(tuple),
        rows=st.dictionaries(st.sampled_from(PANELS), st.integers(-100, 100)),
    ),
)


@settings(max_examples=20)
@given(st.lists(settings_values, min_size=1, max_size=3))
def test_whatever_is_saved_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, values: list[Settings]
) -> None:
    file = SettingsFile(tmp_path_factory.mktemp("s") / "config.toml")
    for each in values:
        file.save(each)
        assert file.load() == each


@given(st.text(max_size=80))
def test_nothing_in_a_file_does_harm(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(decode(text, "config.toml"), Settings)
