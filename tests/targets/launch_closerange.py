"""Close all descriptors, as daemons do, take the numbers for files, and use threads and forks."""

import os
import threading

os.closerange(3, 4096)
paths = ["closed-%d" % number for number in range(1200)]
files = [os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC) for path in paths]
threads = [threading.Thread(target=int) for _ in range(5)]
for thread in threads:
    thread.start()
    thread.join()
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
print(files[0], files[-1], sum(os.fstat(number).st_size for number in files), os.get_inheritable(files[-1]))
for path in paths:
    os.unlink(path)
