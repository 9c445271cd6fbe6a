import threading


def fail():
    raise ValueError("wrong")


def hook(args):
    print(args.exc_type.__name__, args.exc_value, args.thread.name, flush=True)


thread = threading.Thread(target=fail, name="t")
thread.start()
thread.join()
threading.excepthook = hook
thread = threading.Thread(target=fail, name="u")
thread.start()
thread.join()
print(thread.is_alive())
