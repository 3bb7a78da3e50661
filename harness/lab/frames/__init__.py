"""The frame proxy: holds, drops, delays or closes on single frames of Kafka's protocol.

It stands between Toxiproxy and a node, on client links that a schedule asks for, and passes
everything else on unchanged. It runs in a process of its own (`__main__.py`), because the engine's
threads would share one interpreter lock with it: a run must not be slower for being watched.
"""
