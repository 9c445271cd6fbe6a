import multiprocessing as mp


def work(barrier, out):
    out.put("before")
    barrier.wait(60)
    out.put("after")


if __name__ == "__main__":
    barrier, out = mp.Barrier(3), mp.Queue()
    workers = [mp.Process(target=work, args=(barrier, out)) for _ in range(2)]
    for worker in workers:
        worker.start()
    print(out.get(), out.get())
    barrier.wait(60)
    print(out.get(), out.get())
    for worker in workers:
        worker.join()
