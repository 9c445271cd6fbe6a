"""Ten threads that sleep."""

import threading
import time

threads = [threading.Thread(target=time.sleep, args=(1.5,)) for _ in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
