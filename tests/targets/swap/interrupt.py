# Ctrl-C reaches every process of a group, and of a process only its main thread.
import os
import signal
import threading
import time

os.setpgrp()
signal.signal(signal.SIGINT, signal.default_int_handler)
ready, finish = threading.Event(), threading.Event()


def work():
    ready.set()
    finish.wait(60)
    print("the worker ends", flush=True)


thread = threading.Thread(target=work)
thread.start()
ready.wait()
try:
    os.killpg(0, signal.SIGINT)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
finish.set()
thread.join()
