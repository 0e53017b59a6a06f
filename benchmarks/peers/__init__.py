"""Peers: other event stores, in environments of their own, and the programs that put the same commands through them."""
