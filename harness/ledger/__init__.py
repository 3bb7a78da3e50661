"""What happened to each message: journals, witnesses, checker, findings, verdict, explain.

The ledger knows run folders only: never a lab, a fault driver or a live pipeline.
"""
