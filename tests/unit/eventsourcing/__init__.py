"""The kernel's pure parts."""
