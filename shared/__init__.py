"""What the four services share: the published language, the event kernel, people, privacy and the runtime."""
