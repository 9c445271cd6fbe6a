import multiprocessing

factor = None


def prepare(value):
    global factor
    factor = value


def times(n):
    return n * factor


if __name__ == "__main__":
    pool = multiprocessing.Pool(processes=2, initializer=prepare, initargs=(10,))
    print(list(pool.imap(times, range(5), chunksize=2)))
    pool.close()
    pool.join()
