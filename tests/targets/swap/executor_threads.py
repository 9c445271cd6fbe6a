import concurrent.futures


def length(word):
    return len(word)


def wrong(_):
    raise KeyError("k")


def main():
    words = "the same list of words".split()
    with concurrent.futures.ThreadPoolExecutor(max_workers=3) as executor:
        futures = {executor.submit(length, word): word for word in words}
        found = {futures[done]: done.result() for done in concurrent.futures.as_completed(futures)}
        print(sorted(found.items()))
        print(list(executor.map(length, words, chunksize=2)))
        print(repr(executor.submit(wrong, 1).exception()))


main()
