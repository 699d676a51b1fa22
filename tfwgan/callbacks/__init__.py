"""What looks on while a trainer learns: numbers, pictures, evaluation, best checkpoints, guards."""
