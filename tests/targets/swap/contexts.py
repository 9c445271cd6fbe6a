import multiprocessing as mp


def work(queue, n):
    queue.put(n * n)


if __name__ == "__main__":
    mp.freeze_support()
    mp.set_start_method("spawn")
    print(mp.get_start_method())
    try:
        mp.set_start_method("fork")
    except RuntimeError as error:
        print(error)
    for method in mp.get_all_start_methods():
        context = mp.get_context(method)
        queue = context.Queue()
        process = context.Process(target=work, args=(queue, 4))
        process.start()
        print(method, queue.get(timeout=60), process.name.split("-")[0], context.get_start_method())
        process.join()
    with mp.get_context("spawn").Pool(2) as pool:
        print(pool.map(abs, [-1, -2]))
