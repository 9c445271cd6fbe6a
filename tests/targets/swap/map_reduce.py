import collections
import multiprocessing

TEXT = ["a rose is a rose", "is a rose", "no rose", "is it"]


def count(line):
    return collections.Counter(line.split())


def add(counts):
    total = collections.Counter()
    for one in counts:
        total += one
    return total


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(sorted(add(pool.map(count, TEXT)).items()))
