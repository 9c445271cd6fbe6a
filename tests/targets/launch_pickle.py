import multiprocessing
import os
import pickle


def double(x):
    return 2 * x


class Thing:
    def __init__(self, value):
        self.value = value


def look(queue):
    queue.put([key for key in os.environ if "GILSCOPE" in key.upper()] + [os.environ.get("PYTHONPATH")])


if __name__ == "__main__":
    print(pickle.dumps(double, 2), pickle.dumps(Thing, 2))
    print(pickle.loads(pickle.dumps(Thing(3))).value)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        print(pool.map(double, range(4)))
    queue = context.Queue()
    process = context.Process(target=look, args=(queue,))
    process.start()
    print(queue.get(), process.join(), process.exitcode)
