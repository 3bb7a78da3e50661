"""The system under test: its file format, its processes, its variants and what it can be asked.

Kept empty on purpose: roles of the reference pipeline import this package at every start.
"""
