"""The development issuer: its name, its keys, and the process that publishes them."""
