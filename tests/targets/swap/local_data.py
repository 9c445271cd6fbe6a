import threading

data = threading.local()
data.value = "main"


class Own(threading.local):
    def __init__(self, start):
        self.count = start


own = Own(5)
own.count += 1


def look():
    print(hasattr(data, "value"), own.count, flush=True)
    data.value = "worker"


thread = threading.Thread(target=look)
thread.start()
thread.join()
print(data.value, own.count)
