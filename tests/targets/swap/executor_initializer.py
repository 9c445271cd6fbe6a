from concurrent.futures.thread import ThreadPoolExecutor

state = {}


def prepare(word):
    state["word"] = word


def use(n):
    return state["word"] * n


with ThreadPoolExecutor(2, thread_name_prefix="named", initializer=prepare, initargs=("ab",)) as executor:
    print(list(executor.map(use, range(3))))
