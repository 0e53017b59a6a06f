"""A reference analytics subscriber: reads every topic from the beginning and proves it missed nothing."""
