"""The choice between one worker and all of them, at each call."""


def by_workers(alone, together, *arrays):
    """Run ``alone`` where the last array has one row, for one worker, who needs no parallel code; else ``together``."""
    (alone if len(arrays[-1]) == 1 else together)(*arrays)
