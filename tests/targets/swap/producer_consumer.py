import queue
import threading

ITEMS = 20


def produce(to, number):
    for item in range(ITEMS):
        to.put((number, item))


def consume(source, results):
    total = 0
    while True:
        item = source.get()
        if item is None:
            results.put(total)
            source.task_done()
            return
        total += item[1]
        source.task_done()


items = queue.Queue(maxsize=4)
results = queue.Queue()
consumers = [threading.Thread(target=consume, args=(items, results)) for _ in range(3)]
producers = [threading.Thread(target=produce, args=(items, n)) for n in range(2)]
for thread in consumers + producers:
    thread.start()
for thread in producers:
    thread.join()
for _ in consumers:
    items.put(None)
items.join()
for thread in consumers:
    thread.join()
print(sum(results.get() for _ in consumers), items.empty(), items.qsize())
