"""The slowest obviously right reading of the rules: recompute everything at every instant, then compare.

Shares with the product only the record types; nothing here imports the evaluator.
"""
