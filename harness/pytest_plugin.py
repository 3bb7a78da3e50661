"""The pytest plugin: options, the `lab` fixture, and failures that explain themselves."""
