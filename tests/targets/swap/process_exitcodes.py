import multiprocessing
import sys


def fine():
    return 5


def leave():
    sys.exit(7)


def leave_quietly():
    sys.exit()


if __name__ == "__main__":
    for work in (fine, leave, leave_quietly):
        process = multiprocessing.Process(target=work)
        process.start()
        process.join()
        print(work.__name__, process.exitcode)
    try:
        process.start()
    except AssertionError as error:
        print(error)
