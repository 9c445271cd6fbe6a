import multiprocessing as mp


def reciprocal(n):
    return 1 / n


if __name__ == "__main__":
    with mp.Pool(2) as pool:
        try:
            pool.map(reciprocal, [1, 0])
        except ZeroDivisionError as error:
            print("raised", error)
        failed = []
        result = pool.apply_async(reciprocal, (0,), error_callback=failed.append)
        result.wait(30)
        print(result.ready(), result.successful())
        try:
            result.get(0.01)
        except ZeroDivisionError:
            print("again", len(failed))
