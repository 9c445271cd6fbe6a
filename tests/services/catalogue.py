"""The services, and what gilscope is to say of each: argued from what the program does."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Service:
    """How one is started and loaded.

    Words are run by the services' Python, in the folder of its programs; SOCKET stands for a unix socket.
    """

    name: str
    needs: tuple[str, ...]
    """Modules that have to be there."""
    verdicts: frozenset[str]
    """The right ones."""
    why: str
    lanes: frozenset[str]
    """Parts of names that have to be among those of the lanes."""
    processes_min: int = 0
    """Processes that compute, at the least."""
    server: tuple[str, ...] = ()
    """Without one, the load is in the program itself."""
    load: tuple[str, ...] = ()
    """Says READY when all works, with the pid to watch where it is not the server's."""
    settings: dict[str, str] = field(default_factory=dict)


def _gunicorn(*words: str) -> tuple[str, ...]:
    return ("-m", "gunicorn", "--bind", "unix:SOCKET", "--log-level", "error", *words, "web:wsgi")


def _uvicorn(*words: str) -> tuple[str, ...]:
    return ("-m", "uvicorn", "--uds", "SOCKET", "--log-level", "error", "--no-access-log", *words, "web:asgi")


def _ask(clients: int, pause_s: float = 0.0) -> tuple[str, ...]:
    return ("ask_web.py", "SOCKET", str(clients), str(pause_s))


SERVICES = (
    Service(
        name="gunicorn sync × 2",
        needs=("gunicorn",),
        server=_gunicorn("--workers", "2"),
        load=_ask(2),
        settings={"COMPUTE_MS": "6", "WAIT_MS": "4"},
        verdicts=frozenset({"process-parallel"}),
        why="two workers compute most of the time each, in processes of their own",
        lanes=frozenset({"MainThread"}),
        processes_min=2,
    ),
    Service(
        name="gunicorn gthread × 4",
        needs=("gunicorn",),
        server=_gunicorn("--workers", "1", "--threads", "4"),
        load=_ask(4),
        settings={"COMPUTE_MS": "6", "WAIT_MS": "1"},
        verdicts=frozenset({"gil-bound"}),
        why="four threads of one worker always have a request to compute, one GIL lets one of them",
        lanes=frozenset({"ThreadPoolExecutor"}),
    ),
    Service(
        name="gunicorn gevent",
        needs=("gunicorn", "gevent"),
        server=_gunicorn("--workers", "1", "--worker-class", "gevent"),
        load=_ask(4),
        settings={"COMPUTE_MS": "1", "WAIT_MS": "60"},
        verdicts=frozenset({"io-bound"}),
        why="greenlets of one thread, which mostly wait for a database (of 61 ms, 4 × 1 to compute)",
        lanes=frozenset({"MainThread"}),
    ),
    Service(
        name="uvicorn uvloop",
        needs=("uvicorn", "uvloop", "httptools"),
        server=_uvicorn("--loop", "uvloop", "--http", "httptools"),
        load=_ask(2),
        settings={"COMPUTE_MS": "4"},
        verdicts=frozenset({"single-threaded"}),
        why="one worker, whose event loop computes all answers itself",
        lanes=frozenset({"MainThread"}),
    ),
    Service(
        name="uvicorn at rest",
        needs=("uvicorn",),
        server=_uvicorn("--loop", "asyncio"),
        load=_ask(1, 0.03),
        settings={"COMPUTE_MS": "1", "WAIT_MS": "5"},
        verdicts=frozenset({"io-bound"}),
        why="some thirty requests a second, of a millisecond each: it mostly waits for the next",
        lanes=frozenset({"MainThread"}),
    ),
    Service(
        name="celery prefork × 2",
        needs=("celery",),
        server=("-m", "celery", "-A", "celery_app", "worker", "-c", "2", "-l", "ERROR"),
        load=("feed_celery.py",),
        settings={"COMPUTE_MS": "10", "WAIT_MS": "8"},
        verdicts=frozenset({"process-parallel"}),
        why="two processes of a pool compute most of the time each",
        lanes=frozenset({"MainThread"}),
        processes_min=2,
    ),
    Service(
        name="dask cluster × 2",
        needs=("distributed",),
        load=("dask_cluster.py",),
        settings={"COMPUTE_MS": "20", "WAIT_MS": "14"},
        verdicts=frozenset({"process-parallel"}),
        why="two worker processes compute most of the time each, in a thread of theirs",
        lanes=frozenset({"MainThread", "Dask-"}),
        processes_min=2,
    ),
    Service(
        name="Jupyter kernel",
        needs=("ipykernel", "jupyter_client"),
        load=("use_kernel.py",),
        settings={"COMPUTE_MS": "20"},
        verdicts=frozenset({"convoy", "single-threaded"}),
        why="cells compute in its main thread, one after the other; the threads that carry their messages "
        "have to wait for the GIL, some 5 ms for each, which is a convoy where cells are short",
        lanes=frozenset({"MainThread", "IOPub", "Heartbeat", "Control"}),
    ),
    Service(
        name="NumPy, 2 threads",
        needs=("numpy",),
        load=("matrices.py", "2", "1"),
        settings={"SIZE": "500", "WAIT_MS": "3"},
        verdicts=frozenset({"native-parallel"}),
        why="both threads multiply matrices in C code that lets go of the GIL",
        lanes=frozenset({"matrix-0", "matrix-1"}),
    ),
    Service(
        name="NumPy, BLAS × 2",
        needs=("numpy",),
        load=("matrices.py", "1", "2"),
        settings={"SIZE": "700", "WAIT_MS": "8"},
        verdicts=frozenset({"native-parallel"}),
        why="one Python thread, whose BLAS computes in two: one of them unknown to Python",
        lanes=frozenset({"matrix-0"}),
    ),
)
