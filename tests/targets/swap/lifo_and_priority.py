import queue
import threading


def fill(lifo, priority):
    for n in (3, 1, 2):
        lifo.put(n)
        priority.put((n, "item"))


lifo, priority = queue.LifoQueue(), queue.PriorityQueue()
worker = threading.Thread(target=fill, args=(lifo, priority))
worker.start()
worker.join()
print([lifo.get() for _ in range(3)], [priority.get()[0] for _ in range(3)], lifo.empty(), priority.empty())
simple = queue.SimpleQueue()
simple.put("s")
print(simple.get(), simple.empty())
