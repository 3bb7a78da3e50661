"""One pipeline written against the file format: orders → outbox → Kafka → effects.

A client like any other: it imports nothing of the harness but the probe.
"""
