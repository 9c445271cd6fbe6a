import threading


class Asker(threading.Thread):
    answer = None

    def run(self):
        self.answer = 42


results = []
asker = Asker()
other = threading.Thread(target=results.append, args=(1,))
third = threading.Thread(target=lambda out: out.append(1), args=(results,))
for thread in (asker, other, third):
    thread.start()
    thread.join()
print(asker.answer, len(results))
