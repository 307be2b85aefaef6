"""A world to try emon on: people, devices, vendors and their faults by seed, and real services beside it."""
