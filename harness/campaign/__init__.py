"""Many runs: several labs side by side, campaigns, replays, minimised failures, regressions.

It decides what is played next and keeps the results; how one run is played is `run/`'s.
"""
