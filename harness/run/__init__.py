"""One run: warm-up → storm → heal → drain → read → check, as a folder that tells everything."""
