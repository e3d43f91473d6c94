"""The preflight checks that a method must pass on a task before budget is spent on it.

`examine.examine` runs them, in this order, on the real model and a few real examples:

    targets, precision, packing, gradients, learns, changes output, reload, speed, restore, lengths, memory

Each is one function in a file of its own, from a `Probe` (or a workbench) to a `Finding`. `findings` is
without torch: the driver and the report read with it what a worker found.
"""
