from multiprocessing.pool import ThreadPool


def square(n):
    return n * n


if __name__ == "__main__":
    with ThreadPool(3) as pool:
        print(pool.map(square, range(5)), pool.apply_async(square, (9,)).get(30))
        print(list(pool.imap(square, range(3))))
