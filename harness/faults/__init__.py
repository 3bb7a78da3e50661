"""One driver per mechanism of breaking: apply, heal, and evidence that it bit. It never judges."""
