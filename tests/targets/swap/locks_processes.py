import multiprocessing as mp

lock, again, semaphore = mp.Lock(), mp.RLock(), mp.Semaphore(1)
if __name__ == "__main__":
    print(lock.acquire(), lock.acquire(block=False), lock.acquire(timeout=0.01))
    lock.release()
    for what, error in ((lock, ValueError), (again, AssertionError)):
        try:
            what.release()
        except error as said:
            print(said)
    with again, again, semaphore:
        print(semaphore.get_value(), semaphore.acquire(False))
    condition = mp.Condition()
    with condition:
        print(condition.wait(0.01), condition.wait_for(lambda: True))
    event = mp.Event()
    process = mp.Process(target=event.set)
    process.start()
    print(event.wait(60), event.is_set())
    process.join()
