from multiprocessing.managers import BaseManager


class Sums:
    def add(self, a, b):
        return a + b


class Own(BaseManager):
    pass


Own.register("Sums", Sums)

if __name__ == "__main__":
    with Own() as manager:
        print(manager.Sums().add(2, 3))
