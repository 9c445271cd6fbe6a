# More than a pipe holds is put, the workers are joined, and only then it is read.
import queue
import threading

results = queue.Queue()


def work(n):
    for part in range(50):
        results.put((n, part, "x" * 10_000))


workers = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(results.qsize(), sum(len(results.get_nowait()[2]) for _ in range(200)), results.empty())
