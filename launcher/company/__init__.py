"""The demo company: a real HR sample export and its column mapping."""
