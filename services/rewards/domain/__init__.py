"""The rules: state, evolve, commands, decide. Pure."""
