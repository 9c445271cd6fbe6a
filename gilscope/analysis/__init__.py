"""Pure folds over a summary's figures and ticks."""
