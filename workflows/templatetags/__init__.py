"""Tags of the workflows' templates."""
