from multiprocessing import Pipe, Process


def answer(connection):
    while True:
        try:
            question = connection.recv()
        except EOFError:
            return
        if question is None:
            break
        connection.send([question, question * 2])
    connection.close()


if __name__ == "__main__":
    mine, theirs = Pipe()
    process = Process(target=answer, args=(theirs,))
    process.start()
    theirs.close()
    for n in (1, "a"):
        mine.send(n)
        print(mine.recv(), mine.poll())
    mine.send(None)
    process.join()
    try:
        mine.recv()
    except EOFError:
        print("end", process.exitcode)
    mine.close()
    try:
        mine.send(1)
    except OSError as error:
        print(error)
