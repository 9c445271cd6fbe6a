import importlib
import threading as t
from threading import *
from threading import Thread as T

import multiprocessing.pool
from concurrent import futures
import concurrent.futures.thread


def inside():
    import threading

    return threading


same = [T is t.Thread, inside() is t, importlib.import_module("threading") is t, Thread is t.Thread]
same += [
    __import__("threading") is t,
    futures is concurrent.futures,
    hasattr(multiprocessing.pool, "ThreadPool"),
]
same += [concurrent.futures.thread.ThreadPoolExecutor is futures.ThreadPoolExecutor]
print(same, t.__name__, "Thread" in dir(t), t.TIMEOUT_MAX > 0)
thread = inside().Thread(target=print, args=("ran",))
thread.start()
thread.join()
