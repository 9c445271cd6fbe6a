import importlib
import multiprocessing
import multiprocessing as mp
import multiprocessing.managers
from multiprocessing import *
from multiprocessing import Process as P
from multiprocessing.process import current_process as current
from multiprocessing.queues import Empty


def inside():
    import multiprocessing.pool as pools

    return pools


if __name__ == "__main__":
    same = [P is mp.Process, Process is mp.Process, importlib.import_module("multiprocessing") is mp]
    same += [multiprocessing is mp, mp.managers.SyncManager is multiprocessing.managers.SyncManager]
    print(same, inside().Pool(1).apply(len, ("abc",)), current().name, mp.__name__, mp.cpu_count() > 0)
