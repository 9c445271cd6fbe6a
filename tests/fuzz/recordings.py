"""One mutated recording through one outlet: an answer, or an error of ours."""

from __future__ import annotations

import random
import traceback
from pathlib import Path

from gilscope.errors import GilscopeError
from gilscope.text import clean
from tests.fuzz.guard import TooLongError, limited
from tests.fuzz.mutate import mutated
from tests.fuzz.outlets import OUTLETS

DEAR = {"html": 3, "screen": 6, "figures": 8}
"""Of 10: what takes long comes less often."""
ANSWERED, REFUSED = "answered", "refused"


def run(seed: int, number: int, folder: Path) -> tuple[str, str]:
    """Run a case.

    Returns:
        What happened, ANSWERED, REFUSED or a finding; and where.
    """
    chance = random.Random(f"{seed}:{number}")
    kind, data = mutated(chance)
    outlet = chance.choices(list(OUTLETS), weights=[DEAR.get(name, 10) for name in OUTLETS])[0]
    path = folder / "r.gilscope"
    path.write_bytes(data)
    if chance.random() < 0.03:
        # What SQLite would look for beside it.
        beside = path.with_name(path.name + chance.choice(["-wal", "-journal", "-shm"]))
        beside.write_bytes(chance.choice([b"", chance.randbytes(700), data[:3_000]]))
    try:
        return outcome(path, outlet), f"{kind} {outlet}"
    finally:
        for file in folder.iterdir():
            file.unlink()


def outcome(path: Path, outlet: str) -> str:
    """What an outlet makes of a file."""
    try:
        with limited():
            OUTLETS[outlet](path)
    except GilscopeError as error:
        lines = str(error).split("\n")
        if len(lines) > 3 or any(clean(line) != line for line in lines) or len(str(error)) > 1_000:
            return f"a message that is none: {str(error)[:200]!r}"
        return REFUSED
    except TooLongError:
        return "too long\n" + traceback.format_exc()[-3_000:]
    except Exception:
        return traceback.format_exc()[-3_000:]
    return ANSWERED
