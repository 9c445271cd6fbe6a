"""Creates threads in several ways, and starts only some of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool


def work():
    pass


class Named(threading.Thread):
    def __init__(self, name):
        super().__init__(name=name)


class Named2(Named):
    def __init__(self):
        super(Named2, self).__init__("two")


class Server:
    def __init__(self):
        self.thread = threading.Thread(target=work)  # line 24


threads = []
for i in range(4):
    threads.append(threading.Thread(target=work))  # line 29
named = [Named("a"), Named2()]  # line 30
named[0].start()
named[0].join()
server = Server()
timer = threading.Timer(60, work)  # line 34
for i in range(6000):
    threading.Thread(target=work)  # line 36: more than are kept track of, all forgotten at once
with ThreadPoolExecutor(8, thread_name_prefix="pool;1") as executor:
    executor.submit(work).result()
with ThreadPool(2) as pool:
    pool.map(abs, range(4))
