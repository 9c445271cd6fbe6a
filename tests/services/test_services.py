"""Services that nobody here wrote, for a moment each; `python -m tests.services` takes a minute for each."""

from __future__ import annotations

import os

import pytest

from tests.services.catalogue import SERVICES, Service
from tests.services.environment import missing
from tests.services.measure import Measured, measure, wrong_lanes

QUICK = ("gunicorn gthread × 4", "uvicorn uvloop", "NumPy, 2 threads")
ALL = os.environ.get("GILSCOPE_SERVICES_ALL") == "1"


@pytest.mark.parametrize(
    "service", [each for each in SERVICES if ALL or each.name in QUICK], ids=lambda each: each.name
)
def test_attached_under_load(service: Service) -> None:
    lacks = missing(service.needs)
    if lacks is not None:
        pytest.skip(lacks)
    found = measure(service, 2.0, 1)
    assert found.failed == 0
    assert found.beside[0] > 0
    assert found.is_right, (found.verdicts, service.why)
    assert wrong_lanes(found.summaries[0], service) == []


def test_the_difference_has_an_interval() -> None:
    found = Measured(SERVICES[0], without=[100, 100, 100], beside=[99, 100, 98])
    mean, error = found.difference
    assert mean == pytest.approx(-0.01)
    assert error == pytest.approx(4.30 * 0.01 / 3**0.5)
