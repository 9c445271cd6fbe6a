"""The Textual app: pure renderers, thin widgets."""
