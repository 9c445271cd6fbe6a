"""CPU times of threads where there is no /proc, by psutil; what they do else is unknown."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import psutil

from gilscope.model import NOT_KNOWN
from gilscope.sources.tasks import GilSpan, Seen, Sweep, Task, Tasks

NO_STATES = (
    "which threads wait or are blocked, on which cores they run, and CPU times to less than some 10 ms "
    "(this system tells others CPU times only)"
)
NO_THREADS = (
    "its threads one by one (this system does not tell others of them): one lane is the whole process"
)
_NO_FD = -1


class PortableTasks(Tasks):
    """The threads of one process."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        # macOS numbers threads for others anew at each look, so that nobody could tell which is which.
        self.whole = sys.platform == "darwin"
        self.not_known = [(NOT_KNOWN, text) for text in (NO_STATES, NO_THREADS)[: 1 + self.whole]]
        self._last_ns = 0

    def cpu_ns(self) -> int:
        """CPU time of the whole process; −1 when it is gone."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.AccessDenied:
            return self._last_ns
        except (psutil.Error, OSError):
            return -1
        self._last_ns = round((times.user + times.system) * 1e9)
        return self._last_ns

    def sweep(self, spans: Sequence[GilSpan], *, thorough: bool = True) -> Sweep:  # noqa: ARG002 - of /proc
        """Read CPU times; between thorough sweeps there is nothing to see."""
        result = Sweep()
        if not thorough:
            return result
        total_ns = self.cpu_ns()
        times = {} if total_ns < 0 else self._times(total_ns)
        self.last_cpu_ns = max(self.last_cpu_ns, total_ns)
        for tid in self.tasks.keys() - times.keys():
            result.ended.append(self.tasks.pop(tid))
        for tid, cpu_ns in times.items():
            task = self.tasks.get(tid)
            if task is None:
                task = self.tasks[tid] = Task(tid, 0, _NO_FD, cpu_ns=cpu_ns)
                result.started.append(task)
            # Who used none at all was asleep; what else the others did, nobody tells.
            task.seen = Seen.ASLEEP if cpu_ns == task.cpu_ns else Seen.UNREADABLE
            task.cpu_ns = max(task.cpu_ns, cpu_ns)
            result.seen.append(task)
        return result

    def _times(self, total_ns: int) -> dict[int, int]:
        """By thread: CPU time so far."""
        if not self.whole:
            try:
                threads = psutil.Process(self.pid).threads()
            except psutil.AccessDenied:
                self.whole = True
                self.not_known.append((NOT_KNOWN, NO_THREADS))
            except (psutil.Error, OSError):
                return {}
            else:
                return {each.id: round((each.user_time + each.system_time) * 1e9) for each in threads}
        return {self.pid: total_ns}

    def wake(self, tid: int) -> None:
        """Nothing: all are read at each sweep."""

    def close(self) -> None:
        """There is nothing to give back."""
        self.tasks.clear()
