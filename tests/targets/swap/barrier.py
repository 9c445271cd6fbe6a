import threading

barrier = threading.Barrier(3, timeout=60)
order = threading.Lock()


def work(n):
    with order:
        print("before", flush=True)
    barrier.wait()
    with order:
        print("after", flush=True)


threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(barrier.parties, barrier.n_waiting, barrier.broken)
broken = threading.Barrier(2)
try:
    broken.wait(0.01)
except threading.BrokenBarrierError:
    print("broken", broken.broken)
