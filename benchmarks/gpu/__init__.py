"""What a GPU does with tuneoff, in one command and one file to send back: `python -m benchmarks.gpu`.

Each part runs in a process of its own, since an error of CUDA may poison the process that it happens in.
"""
