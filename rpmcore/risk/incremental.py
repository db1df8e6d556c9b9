"""The variance of a book while one position at a time changes: the decision path.

With σ², Σw and diag Σ at hand a changed position costs three products, whatever the size of the book. For single
numbers plain Python floats beat both NumPy scalars and a call of a compiled kernel.
"""
