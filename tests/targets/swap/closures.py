import queue
import threading


def main():
    found = queue.Queue()
    factor = 3
    unpicklable = open(__file__)

    def work(n):
        found.put((n * factor, unpicklable.closed))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    threads = [threading.Thread(target=lambda: found.put("lambda"))]
    threads[0].start()
    threads[0].join()
    print(sorted(found.get() for _ in range(3)), found.get())
    unpicklable.close()


main()
