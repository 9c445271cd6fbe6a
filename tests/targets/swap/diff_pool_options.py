from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool

if __name__ == "__main__":
    with Pool(1, maxtasksperchild=1) as pool:
        print(pool.map(abs, [-1]))
    with ThreadPoolExecutor(1, "prefix") as executor:
        print(executor.submit(abs, -2).result())
