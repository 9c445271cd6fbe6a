from multiprocessing import Manager, Process


def work(shared, items, space, lock, number):
    with lock:
        shared[number] = number * 2
        items.append(number)
        space.last = "done"


if __name__ == "__main__":
    with Manager() as manager:
        shared, items, space, lock = manager.dict(), manager.list(), manager.Namespace(), manager.Lock()
        workers = [Process(target=work, args=(shared, items, space, lock, n)) for n in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(sorted(shared.items()), sorted(items), space.last)
        queue = manager.Queue()
        queue.put(1)
        value = manager.Value("i", 5)
        value.value += 1
        print(queue.get(), value.value)
