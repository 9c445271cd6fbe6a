"""`make screenshots`: record real runs, open each in the app, and draw what it shows.

    python -m tests.screenshots [NAME …]

Without names: all. The figures are those of the machine that it runs on; the pictures differ a little from
run to run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from tests.browser import CHROMIUM
from tests.screenshots import moving, pictures, report
from tests.screenshots.stage import WIDTH, png_of, record
from tests.watched import ROOT

FOLDER = ROOT / "screenshots"
OTHERS = ("compare", "report", "slow-motion.gif", "live.cast")
COLUMNS = 120


def main() -> None:
    """Make the pictures of these names, or all."""
    names = [*pictures.PICTURES, *OTHERS]
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    wanted = parser.parse_args().names or names
    if unknown := set(wanted) - set(names):
        parser.error(f"there is no picture {', '.join(sorted(unknown))}")
    os.chdir(ROOT)
    FOLDER.mkdir(exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # What the user has set for the app, and recorded, stays out of it, and as it is.
        for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            os.environ[variable] = str(folder / variable)
        for each in ("NO_COLOR", "TEXTUAL_THEME"):
            os.environ.pop(each, None)
        for picture in wanted:
            make(picture, folder)
    print(f"{time.monotonic() - began:.0f} s")


def make(name: str, folder: Path) -> None:
    """Make one, of a recording in the folder, which is made first if there is none yet."""
    target = FOLDER / name
    if name == "report":
        if CHROMIUM is None:
            print("report: there is no Chromium here; the picture that was there stays")
            return
        recorded = record(pictures.CONVOY, folder)
        asyncio.run(report.photograph(recorded.path, target.with_suffix(".png"), folder))
        written = [target.with_suffix(".png")]
    elif name == "slow-motion.gif":
        target.write_bytes(asyncio.run(moving.gif(record(pictures.FOUR_THREADS, folder))))
        written = [target]
    elif name == "live.cast":
        moving.cast(pictures.FOUR_THREADS.script, 14, target)
        written = [target]
    else:
        written = draw(name, target, folder)
    for file in written:
        print(f"{file.relative_to(ROOT)} ({file.stat().st_size // 1000} kB)")


def draw(name: str, target: Path, folder: Path) -> list[Path]:
    """A screen of the app, in SVG and PNG."""
    if name == "compare":
        paths = [record(run, folder).path for run in pictures.COMPARED]
        svg, columns = asyncio.run(pictures.draw_compared(paths)), pictures.COMPARED_SIZE[0]
    else:
        picture = pictures.PICTURES[name]
        svg, columns = asyncio.run(pictures.draw(picture, record(picture.run, folder))), picture.size[0]
    written = [target.with_suffix(".svg"), target.with_suffix(".png")]
    written[0].write_text(svg)
    written[1].write_bytes(png_of(svg, WIDTH * columns // COLUMNS))
    return written


if __name__ == "__main__":
    main()
