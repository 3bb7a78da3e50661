"""What to break and when: frozen values, JSON, and the words that scenarios are written in.

Pure: this room imports nothing of the others but the errors, and touches no system.
"""
