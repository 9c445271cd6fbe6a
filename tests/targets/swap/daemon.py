import threading

never = threading.Event()
thread = threading.Thread(target=never.wait, daemon=True)
thread.start()
print("the program ends, the daemon with it", thread.is_alive())
