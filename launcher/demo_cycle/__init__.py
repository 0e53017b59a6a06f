"""One performance cycle of a real company, driven over public HTTP as its people would."""
