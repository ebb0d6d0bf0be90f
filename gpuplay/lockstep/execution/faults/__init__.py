"""The words of a check that fired: what happened, where, which thread, and what to do about it.

`accesses` to memory, `meetings` of threads that have to be together, `units` beside the threads, and `launches` that
no GPU takes.
"""
