"""Standard streams that lead to different places."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

from tests.commands import command, environment


def test_a_screen_that_nobody_would_see_is_none(tmp_path: Path) -> None:
    """GIVEN a terminal on standard output only THEN it runs headless: a screen goes to standard error."""
    ours, theirs = pty.openpty()
    try:
        run = command("run", "-c", "print('it ran')")
        with subprocess.Popen(
            run, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(tmp_path)
        ) as process:
            said = process.communicate(timeout=60)[1].decode()
        assert process.returncode == 0
        assert b"it ran" in os.read(ours, 65_536)
        assert "Too short to say" in said
        assert "\x1b[?1049h" not in said
    finally:
        os.close(ours)
        os.close(theirs)
