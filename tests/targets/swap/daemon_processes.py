import multiprocessing as mp

if __name__ == "__main__":
    never = mp.Event()
    process = mp.Process(target=never.wait, daemon=True)
    process.start()
    print("the program ends, the daemon with it", process.is_alive(), process.daemon)
