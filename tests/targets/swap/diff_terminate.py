import multiprocessing as mp

if __name__ == "__main__":
    started, never = mp.Event(), mp.Event()

    def work():
        started.set()
        never.wait()

    process = mp.get_context("fork").Process(target=work)
    process.start()
    started.wait()
    process.terminate()
    process.join()
    print(process.is_alive(), process.exitcode)
