"""Four threads are created, and nobody starts them."""

import threading
import time

threads = [threading.Thread(target=time.sleep, args=(1,)) for _ in range(4)]
print(len(threads), "threads")
