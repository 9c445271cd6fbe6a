"""One thread that sleeps."""

import time

time.sleep(1.2)
