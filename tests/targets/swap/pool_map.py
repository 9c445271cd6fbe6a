from multiprocessing import Pool


def cube(n):
    return n**3


if __name__ == "__main__":
    with Pool(3) as pool:
        print(pool.map(cube, range(6)), pool.apply(cube, (3,)))
        print(pool.starmap(pow, [(2, 3), (3, 2)]), sorted(pool.imap_unordered(cube, range(4))))
        later = pool.map_async(cube, [1, 2], callback=lambda found: None)
        print(later.get(30), later.successful())
