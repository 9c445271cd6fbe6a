from multiprocessing import Array, Lock, Process, RawValue, Value


def work(total, squares, plain, lock, number):
    for _ in range(100):
        with total.get_lock():
            total.value += 1
    with lock:
        plain.value += 1
    squares[number] = number**2


if __name__ == "__main__":
    total, squares, plain, lock = Value("i", 0), Array("d", 4), RawValue("l", 0), Lock()
    workers = [Process(target=work, args=(total, squares, plain, lock, n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(total.value, squares[:], plain.value, len(squares))
    byte = Value("b", 127)
    byte.value += 1
    print(byte.value)
