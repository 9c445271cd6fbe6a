"""Workers that are handed much and return much: by reference in threads, by copies in processes."""

from concurrent.futures import ThreadPoolExecutor


def longest(rows: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return nearly all that came in, after next to no work."""
    return rows[1:]


if __name__ == "__main__":
    table = [(number, "row %d" % number) for number in range(300_000)]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            kept = list(pool.map(longest, [table] * 4))
    print(len(kept), len(kept[0]))
