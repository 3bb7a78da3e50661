"""What holds for every test: Hypothesis judges what a function does, never how long it took."""

from hypothesis import settings

# On a shared machine any example may have to wait for others; times belong into benchmarks.
settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
