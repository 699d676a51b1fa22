"""Audits of a trained model: what a critic's numbers are worth, what became of the atoms."""
