"""The preflight checks that a method must pass on a task before budget is spent on it.

`examine.examine` asks those in `checks/`, in the order that they declare, on the real model and a few real
examples. `findings` is without torch: the driver and the report read with it what a worker found.
"""
