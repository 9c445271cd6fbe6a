import os
import sys
import threading

print("parent", os.getpid(), flush=True)
threading.Thread(target=print).start()
for code in (0, 5):
    pid = os.fork()
    if pid == 0:
        for _ in range(code):
            threading.Thread(target=int).start()
        print("child", os.getpid(), os.getppid(), flush=True)
        sys.exit(code)
    _, status = os.waitpid(pid, 0)
    print("status", status, flush=True)
