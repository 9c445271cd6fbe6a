from multiprocessing import Process

counter = 0


def work():
    global counter
    counter += 1


if __name__ == "__main__":
    processes = [Process(target=work) for _ in range(3)]
    for process in processes:
        process.start()
        process.join()
    print(counter)
