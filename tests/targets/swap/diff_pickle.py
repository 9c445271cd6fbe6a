import queue
import threading
from concurrent.futures import ThreadPoolExecutor

things = queue.Queue()
try:
    things.put(threading.Lock())
    print("put")
except Exception as error:
    print(type(error).__name__)


def make():
    return lambda: 1


with ThreadPoolExecutor(1) as executor:
    for function in (make, lambda: 2):
        try:
            executor.submit(function).result()
            print("returned")
        except Exception as error:
            print("failed")
