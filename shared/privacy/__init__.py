"""Personal text: keys per person, encryption and erasure."""
