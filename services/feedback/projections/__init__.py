"""Read models, one module per question."""
