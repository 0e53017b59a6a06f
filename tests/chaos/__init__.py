"""The fault matrix: a load of commands, one fault at a time, and a proof that nothing was lost or doubled."""
