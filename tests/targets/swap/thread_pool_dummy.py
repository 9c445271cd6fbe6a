import multiprocessing.dummy as threads
from multiprocessing.dummy import Pool


def square(n):
    return n * n


def put(queue):
    queue.put("x")


if __name__ == "__main__":
    pool = Pool(2)
    print(pool.map(square, [1, 2, 3]))
    pool.close()
    pool.join()
    queue = threads.Queue()
    worker = threads.Process(target=put, args=(queue,))
    worker.start()
    worker.join()
    print(queue.get(), worker.exitcode)
