import multiprocessing
import time


def late():
    time.sleep(0.3)
    print("late", flush=True)


if __name__ == "__main__":
    multiprocessing.Process(target=late).start()
    print("main is done", flush=True)
