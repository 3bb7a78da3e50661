"""Labs of one user beside each other, and nothing left of one that ended."""
