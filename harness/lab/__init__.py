"""The running environment behind one protocol: nodes, links, database, and the audit path."""
