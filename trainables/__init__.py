"""What one trial does: load a model, attach a method, train it, score it, weigh its cost.

Nothing is imported here, so that a sweep file can be read without torch. Start at `task.py` (what is fixed)
and `loop.py` (what is done); `trainable.py` is the only file that knows Ray.
"""
