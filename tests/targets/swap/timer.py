import threading

rung = threading.Event()
timer = threading.Timer(0.05, rung.set)
timer.start()
print(rung.wait(60))
never = threading.Timer(600, print, args=("no",))
never.start()
never.cancel()
never.join()
timer.join()
print("done")
