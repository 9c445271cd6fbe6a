import threading


class Counter(threading.Thread):
    """A thread with state of its own and a way to be stopped."""

    def __init__(self, until, **options):
        threading.Thread.__init__(self, **options)
        self.until = until
        self._stop_asked = threading.Event()
        self.started_to_count = threading.Event()

    def run(self):
        self.started_to_count.set()
        self._stop_asked.wait(60)
        print(self.name, self.until, self.daemon, threading.current_thread() is self, flush=True)

    def stop(self):
        self._stop_asked.set()


one = Counter(3, name="counting", daemon=True)
one.start()
one.started_to_count.wait()
print(one.is_alive(), isinstance(one, threading.Thread), one.ident is not None)
one.stop()
one.join(60)
print(one.is_alive(), threading.current_thread().name, threading.current_thread() is threading.main_thread())
