"""Proxied links, whatever runs the servers behind them: damage, proof of it, traffic."""
