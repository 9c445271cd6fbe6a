import multiprocessing
import threading

multiprocessing.set_start_method("spawn", force=True)
thread = threading.Thread(target=print, args=("worker",))
thread.start()
thread.join()
print("main")
