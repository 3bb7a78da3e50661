"""What a Kafka node is on disk, whatever runs it: settings, storage, what a disk forgets."""
