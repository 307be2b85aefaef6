"""The field's words as types. Imports nothing of emon outside itself; no I/O, no clock."""
