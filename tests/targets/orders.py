"""Three workers read orders, check, price and print them: pure Python, some calls deep. orders.py [SECONDS]."""

import json
import sys
import threading
import time
from decimal import Decimal

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
ORDER = json.dumps(
    {
        "customer": "customer 17",
        "lines": [
            {"item": "item %d" % n, "count": n % 7 + 1, "price": "%d.%02d" % (n, n)} for n in range(60)
        ],
    }
)
end = time.monotonic() + SECONDS
done = [0, 0, 0]


def words_of(text):
    found, word = [], ""
    for letter in text:
        if letter.isalnum():
            word += letter
        elif word:
            found.append(word)
            word = ""
    return [*found, word]


def checksum(word):
    total = 0
    for letter in word:
        total = (total * 31 + ord(letter)) % 65_521
    return total


def check(line):
    return sum(checksum(word) for word in words_of(line["item"] + " " + line["price"]))


def rebate(amount, count):
    for step in range(count * 2):
        amount -= amount * Decimal(step) / 10_000
    return amount


def price(line):
    return rebate(Decimal(line["price"]) * line["count"], line["count"])


def bill(lines):
    return "\n".join("%-20s %12.2f" % (line["item"], price(line)) for line in lines)


def handle(text):
    order = json.loads(text)
    if sum(check(line) for line in order["lines"]):
        return bill(order["lines"])


def work(number):
    while time.monotonic() < end:
        handle(ORDER)
        done[number] += 1


threads = [threading.Thread(target=work, args=(n,), name="orders-%d" % n) for n in range(len(done))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(done), "orders handled")
