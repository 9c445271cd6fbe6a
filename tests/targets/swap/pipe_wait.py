import multiprocessing
from multiprocessing.connection import wait


def tell(to, number):
    for part in range(3):
        to.send((number, part))
    to.close()


if __name__ == "__main__":
    readers, processes = [], []
    for number in range(3):
        reader, writer = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=tell, args=(writer, number))
        process.start()
        writer.close()
        readers.append(reader)
        processes.append(process)
    found = []
    while readers:
        for reader in wait(readers):
            try:
                found.append(reader.recv())
            except EOFError:
                readers.remove(reader)
    print(sorted(found))
    wait([process.sentinel for process in processes], timeout=30)
    for process in processes:
        process.join()
