"""`python -m tests.services`: gilscope attached to services that nobody here wrote, under load.

A row a service: its lanes, the verdict and whether it is the right one, what was held, what could not be
read, what watching cost, what was served a second, and how much less that is with gilscope than without, and
how much more CPU time each request takes, in blocks that alternate within one attachment.

With --asked 60, something else: what each serves of 60 % of what it could, with gilscope and without, and how
long that takes.
"""

from __future__ import annotations

import argparse
import sys

from tests.services import environment, pacing
from tests.services.catalogue import SERVICES
from tests.services.measure import Measured, gaps_s, held, measure, wrong_lanes
from tests.services.pacing import measure_paced

PACED_BLOCK_S = 3.0

HEAD = (
    f"{'service':<22}{'lanes':>6}{'procs':>6}  {'verdict':<18}{'right':<6}{'held':>6}{'gaps s':>8}{'cost':>7}"
    f"{'served/s':>10}  {'fewer with gilscope, 95 %':<27}{'CPU for each, more':<27}{'errors':>6}"
)


def row(found: Measured) -> str:
    """One line of the table."""
    summary = found.summary
    return (
        f"{found.service.name:<22}{len(summary['lanes']):>6}{len(summary['processes']):>6}  "
        f"{found.verdict:<18}{'yes' if found.is_right else 'NO':<6}{held(summary):>6.0%}"
        f"{gaps_s(summary):>8.2f}{summary['gilscope']['cost']['share_of_core']:>7.1%}{found.served:>10.1f}  "
        f"{found.slower or 'not measured'!s:<27}{found.dearer or 'not measured'!s:<27}{found.failed:>6}"
    )


def main() -> int:
    """1 if a verdict or a lane is wrong, or a request failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of services (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="to watch each without a pause")
    parser.add_argument("--compared", type=float, default=60.0, help="seconds of blocks with and without")
    parser.add_argument("--block", type=float, default=0.5, help="seconds of a block")
    parser.add_argument("--asked", type=int, help="ask so many per cent of what it can serve, each when due")
    parser.add_argument("--lanes", action="store_true", help="list the lanes too")
    parser.add_argument("--install", action="store_true", help="only make the services' environment")
    options = parser.parse_args()
    environment.make()
    if options.install:
        return 0
    wrong = 0
    print(pacing.HEAD if options.asked else HEAD, flush=True)
    for service in SERVICES:
        if options.names and not any(name.lower() in service.name.lower() for name in options.names):
            continue
        missing = environment.missing(service.needs)
        if missing is not None:
            print(f"{service.name:<22}{missing}")
            continue
        if options.asked:
            paced = measure_paced(service, options.asked / 100, options.seconds, PACED_BLOCK_S)
            print(paced.row(), flush=True)
            wrong += bool(paced.failed)
            continue
        found = measure(service, options.seconds, compared_s=options.compared, block_s=options.block)
        print(row(found), flush=True)
        faults = set(wrong_lanes(found.summary, service))
        if not found.is_right:
            faults.add(f"expected {' or '.join(sorted(service.verdicts))}: {service.why}")
        for fault in sorted(faults):
            print(f"  {fault}")
        if options.lanes:
            for lane in sorted(found.summary["lanes"], key=lambda lane: -lane["cpu_s"]):
                print(
                    f"    {lane['pid']}/{lane['tid']} {lane['name']}  cpu {lane['cpu_s']:.2f} s"
                    f"  held {lane['held_share'] or 0:.1%}  waiting {lane['waiting_s'] or 0:.2f} s"
                )
        wrong += bool(faults or found.failed)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
