import threading

total = 0
seen = []
lock = threading.Lock()


class Box:
    held = 0


box = Box()


def work(n):
    global total
    with lock:
        total += n
        seen.append(n)
        box.held += n


threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(total, sorted(seen), box.held)
