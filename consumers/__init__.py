"""Reference subscribers, written as an outsider would."""
