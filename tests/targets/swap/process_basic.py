from multiprocessing import Process, Queue, current_process, parent_process


def greet(name, queue):
    queue.put(("hello", name, current_process().name, parent_process().name))


if __name__ == "__main__":
    queue = Queue()
    process = Process(target=greet, args=("bob", queue))
    print(process.name, process.is_alive(), process.exitcode, process.pid)
    process.start()
    print(queue.get(timeout=30))
    process.join()
    print(process.is_alive(), process.exitcode, process.pid is not None, current_process().name)
