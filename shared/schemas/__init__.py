"""The published language: the envelope and one module of events per publisher."""
