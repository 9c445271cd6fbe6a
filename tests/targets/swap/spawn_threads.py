# Its threads may become processes that begin anew: the swap has to be there too.
import multiprocessing
import queue
import threading


class Adder(threading.Thread):
    def __init__(self, n, out):
        super().__init__(name=f"adder-{n}")
        self.n, self.out = n, out

    def run(self):
        self.out.put((self.n + 1, self.name, isinstance(threading.current_thread(), threading.Thread)))


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    out, lock, event = queue.Queue(), threading.Lock(), threading.Event()
    threads = [Adder(n, out) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(out.get() for _ in threads))
    waiter = threading.Thread(target=event.set)
    waiter.start()
    print(event.wait(60))
    waiter.join()
