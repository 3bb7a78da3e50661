"""Provisioning: the parts a lab is made of, found on this machine or fetched once for its user."""
