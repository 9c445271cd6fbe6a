"""Pure: view-model and size to strips."""
