"""What development tokens say of their origin and their aim."""

from typing import Final

ISSUER: Final = "https://issuer.trellis.localhost"
"""The `iss` of development tokens: a name, not an address, so that they outlive a change of ports."""
AUDIENCE: Final = "trellis"
