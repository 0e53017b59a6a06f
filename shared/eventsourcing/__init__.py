"""The event kernel: decider, store, relay, projector, reactor. It knows no business word."""
