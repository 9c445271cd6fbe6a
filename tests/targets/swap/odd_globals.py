# Globals that must not be touched by whoever looks whether they changed.
import threading


class Odd(list):
    def __iter__(self):
        raise SystemError("read")

    def __len__(self):
        raise SystemError("measured")


class Proxy:
    @property
    def __class__(self):
        raise RuntimeError("no object behind this proxy")

    def __getattr__(self, name):
        raise RuntimeError("no object behind this proxy")

    def __eq__(self, other):
        raise SystemError("compared")


odd, proxy = Odd(), Proxy()
count = 0


def work(proxy, odd):
    global count
    count += 1
    print("worked", flush=True)


thread = threading.Thread(target=work, args=(proxy, odd))
thread.start()
thread.join()
