"""`python -m tests.services`: gilscope attached to services that nobody here wrote, under load.

A row a service: its lanes, the verdict and whether it is the right one, what was held, what could not be
read, what watching cost, and what was served a second without gilscope and with it, in alternating spans.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from tests.services import environment
from tests.services.catalogue import SERVICES
from tests.services.measure import Measured, gaps_s, held, measure, wrong_lanes

HEAD = (
    f"{'service':<22}{'lanes':>6}{'procs':>6}  {'verdict':<18}{'right':<6}{'held':>6}{'gaps s':>8}{'cost':>7}"
    f"{'served/s':>10}{'with':>9}{'difference, 95 %':>20}{'errors':>8}"
)


def row(found: Measured) -> str:
    """One line of the table; figures of the watch are those of its last span."""
    last = found.summaries[-1]
    mean, error = found.difference
    verdict = "/".join(sorted(set(found.verdicts)))
    return (
        f"{found.service.name:<22}{len(last['lanes']):>6}{len(last['processes']):>6}  {verdict:<18}"
        f"{'yes' if found.is_right else 'NO':<6}{held(last):>6.0%}{gaps_s(last):>8.2f}"
        f"{last['gilscope']['cost']['share_of_core']:>7.1%}"
        f"{statistics.fmean(found.without):>10.1f}{statistics.fmean(found.beside):>9.1f}"
        f"{f'{mean:+.1%} ± {error:.1%}':>20}{found.failed:>8}"
    )


def main() -> int:
    """1 if a verdict or a lane is wrong, or a request failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of services (default: all)")
    parser.add_argument("--seconds", type=float, default=60.0, help="to watch each, in all its spans")
    parser.add_argument("--spans", type=int, default=6, help="of watching, and as many without")
    parser.add_argument("--lanes", action="store_true", help="list the lanes too")
    parser.add_argument("--install", action="store_true", help="only make the services' environment")
    options = parser.parse_args()
    environment.make()
    if options.install:
        return 0
    wrong = 0
    print(HEAD, flush=True)
    for service in SERVICES:
        if options.names and not any(name.lower() in service.name.lower() for name in options.names):
            continue
        missing = environment.missing(service.needs)
        if missing is not None:
            print(f"{service.name:<22}{missing}")
            continue
        found = measure(service, options.seconds / options.spans, options.spans)
        print(row(found), flush=True)
        faults = {fault for summary in found.summaries for fault in wrong_lanes(summary, service)}
        if not found.is_right:
            faults.add(f"expected {', '.join(service.verdicts)}: {service.why}")
        for fault in sorted(faults):
            print(f"  {fault}")
        if options.lanes:
            for lane in sorted(found.summaries[-1]["lanes"], key=lambda lane: -lane["cpu_s"]):
                print(
                    f"    {lane['pid']}/{lane['tid']} {lane['name']}  cpu {lane['cpu_s']:.2f} s"
                    f"  held {lane['held_share'] or 0:.1%}  waiting {lane['waiting_s'] or 0:.2f} s"
                )
        wrong += bool(faults or found.failed)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
