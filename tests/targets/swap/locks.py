import threading
from threading import BoundedSemaphore, Lock, RLock, Semaphore

lock = Lock()
print(
    lock.acquire(),
    lock.locked(),
    lock.acquire(blocking=False),
    lock.acquire(True, 0.01),
    lock.acquire(timeout=0.01),
)
lock.release()
try:
    lock.release()
except RuntimeError as error:
    print(error)
again = RLock()
with again:
    with again:
        print("twice")
try:
    again.release()
except RuntimeError as error:
    print(error)
semaphore = Semaphore(2)
print(semaphore.acquire(), semaphore.acquire(), semaphore.acquire(False))
semaphore.release()
bounded = BoundedSemaphore()
with bounded:
    print("in")
try:
    bounded.release()
except ValueError as error:
    print(error)
taken = Lock()
taken.acquire()
thread = threading.Thread(target=taken.release)
thread.start()
thread.join()
print(taken.locked())
event = threading.Event()
print(event.wait(0.01), event.is_set())
thread = threading.Thread(target=event.set)
thread.start()
print(event.wait(60))
thread.join()
