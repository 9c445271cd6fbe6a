"""Write very much to the terminal: lines, escape sequences, bytes that are no UTF-8. storm.py LINES FILE"""

import sys

piece = b"line %d \x1b[31mred\x1b[0m \x1b]0;title\x07 \xff\xfe\x80 \xe4\xbd\xa0\n"
with open(sys.argv[2], "wb") as copy:
    for number in range(int(sys.argv[1])):
        line = piece % number
        copy.write(line)
        sys.stdout.buffer.write(line)
sys.stdout.buffer.flush()
