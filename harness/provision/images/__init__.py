"""Container images of a lab: which ones there are, whether the engine has them, and making them."""
