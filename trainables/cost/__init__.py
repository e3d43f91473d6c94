"""What a trial spends: seconds, memory, arithmetic, energy, and the time it takes to write an answer.

Nothing is imported here: a sweep file and a report read what is declared in `declared.py` without torch.
"""
