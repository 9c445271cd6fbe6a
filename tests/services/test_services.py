"""Services that nobody here wrote, for a moment each; `python -m tests.services` takes a minute for each."""

from __future__ import annotations

import os

import pytest

from tests.services.catalogue import SERVICES, Service
from tests.services.environment import missing
from tests.services.measure import measure, wrong_lanes

QUICK = ("gunicorn gthread × 4", "uvicorn uvloop", "NumPy, 2 threads")
ALL = os.environ.get("GILSCOPE_SERVICES_ALL") == "1"


@pytest.mark.parametrize(
    "service", [each for each in SERVICES if ALL or each.name in QUICK], ids=lambda each: each.name
)
def test_attached_under_load(service: Service) -> None:
    lacks = missing(service.needs)
    if lacks is not None:
        pytest.skip(lacks)
    found = measure(service, 2.0)
    assert found.failed == 0
    assert found.served > 0
    assert found.is_right, (found.verdict, service.why)
    assert wrong_lanes(found.summary, service) == []
