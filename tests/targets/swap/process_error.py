import multiprocessing


def fail():
    raise ValueError("wrong")


if __name__ == "__main__":
    process = multiprocessing.Process(target=fail)
    process.start()
    process.join()
    print(process.exitcode)
