"""Writing a large object as JSON keeps the GIL; two threads that serve others wait."""

import json
import threading
import time

rows = [{"id": number, "name": "row %d" % number, "share": number / 7} for number in range(120_000)]
end = time.monotonic() + 1.6


def serve(pause):
    while time.monotonic() < end:
        time.sleep(pause)


threads = [threading.Thread(target=serve, args=(pause,), name="serve-%g" % pause) for pause in (0.01, 0.02)]
for thread in threads:
    thread.start()
while time.monotonic() < end:
    json.dumps(rows)
for thread in threads:
    thread.join()
