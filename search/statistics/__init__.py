"""Statistics of methods and of searches: arrays in, plain values out; numpy and scipy only.

Scores are arrays of shape (seeds, documents), in points. Methods are compared on the same documents.
"""
