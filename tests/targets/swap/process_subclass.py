import multiprocessing as mp


class Worker(mp.Process):
    def __init__(self, number, out):
        super().__init__(name=f"w{number}", daemon=True)
        self.number = number
        self.out = out

    def run(self):
        self.out.put((self.number, self.name, self.daemon))


if __name__ == "__main__":
    out = mp.SimpleQueue()
    workers = [Worker(n, out) for n in range(3)]
    for worker in workers:
        worker.start()
    print(sorted(out.get() for _ in workers))
    for worker in workers:
        worker.join(30)
    print([worker.exitcode for worker in workers], mp.active_children())
