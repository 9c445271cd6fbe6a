import multiprocessing as mp


def work(jobs, out):
    for job in iter(jobs.get, None):
        out.put(job * 3)
        jobs.task_done()
    jobs.task_done()


if __name__ == "__main__":
    jobs, out = mp.JoinableQueue(), mp.Queue()
    workers = [mp.Process(target=work, args=(jobs, out)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for n in range(6):
        jobs.put(n)
    for _ in workers:
        jobs.put(None)
    jobs.join()
    print(sorted(out.get() for _ in range(6)))
    for worker in workers:
        worker.join()
    out.close()
    out.join_thread()
