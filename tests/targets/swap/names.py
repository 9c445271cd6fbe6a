import threading


def show():
    me = threading.current_thread()
    print(me.name, me.daemon, me.ident == threading.get_ident(), flush=True)


thread = threading.Thread(target=show)
thread.start()
thread.join()
thread = threading.Thread(target=show, daemon=True)
thread.name = "other"
thread.start()
thread.join()
print(thread.name, threading.active_count())
for wrong in (thread.start, threading.Thread().join):
    try:
        wrong()
    except RuntimeError as error:
        print(error)
