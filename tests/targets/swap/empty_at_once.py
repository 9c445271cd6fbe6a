import queue
import threading

jobs = queue.Queue()
done = queue.Queue()
for n in range(30):
    jobs.put(n)
print(jobs.get_nowait(), jobs.qsize(), jobs.full())


def work():
    while True:
        try:
            job = jobs.get_nowait()
        except queue.Empty:
            return
        done.put(job * 2)
        jobs.task_done()


workers = [threading.Thread(target=work) for _ in range(3)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(sorted(done.get() for _ in range(29)))
small = queue.Queue(1)
small.put(1)
for call in (lambda: small.put(2, timeout=0.01), lambda: small.put_nowait(2)):
    try:
        call()
    except queue.Full:
        print("full", small.full())
small.get()
try:
    small.get(timeout=0.01)
except queue.Empty:
    print("empty")
