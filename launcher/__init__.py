"""The trellis command line and what it starts on one machine."""
