from queue import Queue
from threading import Thread

END = "end"


class Stage(Thread):
    def __init__(self, work, source, to):
        super().__init__()
        self.work, self.source, self.to = work, source, to

    def run(self):
        while True:
            item = self.source.get()
            if item == END:
                self.to.put(END)
                return
            self.to.put(self.work(item))


first, second, last = Queue(), Queue(), Queue()
stages = [Stage(lambda n: n + 1, first, second), Stage(lambda n: n * 10, second, last)]
for stage in stages:
    stage.start()
for n in range(8):
    first.put(n)
first.put(END)
for stage in stages:
    stage.join()
out = []
while True:
    item = last.get()
    if item == END:
        break
    out.append(item)
print(out)
