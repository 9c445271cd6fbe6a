"""What the sampler is asked to do; handed to its process as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from gilscope.launch.attached import AttachSpec
from gilscope.launch.spec import TargetSpec
from gilscope.model import NS_PER_MS

DEFAULT_RATE_HZ = 1_000.0
DEFAULT_PYSPY_RATE_HZ = 100.0
"""Of py-spy: what it takes without using more than a few percent of a core."""
DEFAULT_TICK_MS = 50
DEFAULT_BUDGET_PERCENT = 5.0
DEFAULT_STALL_MS = 100.0
MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 20_000.0
MAX_PYSPY_RATE_HZ = 1_000.0
MIN_TICK_MS, MAX_TICK_MS = 10, 1_000
MIN_KEEP_S = 60
"""Sums by the minute are made of what is kept."""


Source = Literal["auto", "probe", "py-spy"]
"""Who tells who holds the GIL. auto: the probe, and py-spy where that cannot read the interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerConfig:
    """One session's settings, checked by the command line."""

    spec: TargetSpec | AttachSpec
    recording: Path
    source: Source = "auto"
    rate_hz: float = DEFAULT_RATE_HZ
    tick_ns: int = DEFAULT_TICK_MS * NS_PER_MS
    budget_share: float = DEFAULT_BUDGET_PERCENT / 100
    stall_ns: int = int(DEFAULT_STALL_MS * NS_PER_MS)
    native: bool = False
    """Ask py-spy for C frames of stalls too."""
    duration_ns: int | None = None
    """End the target after so long, or let go of it."""
    keep_ns: int | None = None
    """Of a longer session, keep only about so much of its end."""
    columns: int | None = None
    """Size of the pty that the target runs on; None: it keeps our terminal."""
    rows: int | None = None

    def to_json(self) -> str:
        """As one line of JSON."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps(fields | {"spec": asdict(self.spec), "recording": str(self.recording)})

    @classmethod
    def from_json(cls, text: str) -> SamplerConfig:
        """What `to_json` wrote."""
        fields = json.loads(text)
        spec = fields["spec"]
        fields["spec"] = AttachSpec(**spec) if "pid" in spec else TargetSpec.from_json(json.dumps(spec))
        fields["recording"] = Path(fields["recording"])
        return cls(**fields)
