import threading

condition = threading.Condition()
ready = threading.Event()


def wait():
    with condition:
        ready.set()
        print("told" if condition.wait(60) else "late", flush=True)


thread = threading.Thread(target=wait)
thread.start()
ready.wait()
with condition:
    print("telling", flush=True)
    condition.notify()
thread.join()
try:
    condition.notify_all()
except RuntimeError as error:
    print(error)
