"""Proves that a Kafka pipeline loses nothing and processes everything exactly once.

Scenarios import their words from `harness.scenario`. This module stays empty: every process of the
reference pipeline imports `harness.pipeline.probe`, and must not pay for the rest.
"""
