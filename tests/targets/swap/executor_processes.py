import math
from concurrent.futures import ProcessPoolExecutor, wait

NUMBERS = [2, 4, 17, 51, 97, 7919, 7917]


def is_prime(n):
    return n > 1 and all(n % i for i in range(2, math.isqrt(n) + 1))


def main():
    with ProcessPoolExecutor(max_workers=2) as executor:
        for number, prime in zip(NUMBERS, executor.map(is_prime, NUMBERS)):
            print(number, prime)
        done, left = wait([executor.submit(is_prime, n) for n in NUMBERS], timeout=30)
        print(len(done), len(left))


if __name__ == "__main__":
    main()
