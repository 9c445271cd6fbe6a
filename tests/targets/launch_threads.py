"""Make Thread objects of many kinds: 1 + 3 + 1 + 1 + 2 created, all started but 2."""

import _thread
import concurrent.futures
import threading
import traceback


class Mine(threading.Thread):
    def __init__(self, value):
        super().__init__(name="mine", daemon=True)
        self.value = value

    def run(self):
        traceback.print_stack()


def fail():
    raise ValueError("in a thread")


first = threading.Thread(target=print, args=("hello",))
print(repr(first).split("(")[1])
first.start()
first.join()
many = [threading.Thread(target=fail) for _ in range(3)]
for thread in many:
    thread.start()
    thread.join()
mine = Mine(1)
mine.start()
mine.join()
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    print(pool.submit(pow, 2, 10).result())
never = [threading.Thread(target=print) for _ in range(2)]
try:
    threading.Thread(1)
except AssertionError:
    traceback.print_exc()
try:
    first.start()
except RuntimeError:
    traceback.print_exc()

# A thread of no Thread object has a dummy one made for it, which nobody created.
done = _thread.allocate_lock()
done.acquire()
_thread.start_new_thread(lambda: (threading.current_thread(), done.release()), ())
done.acquire()
