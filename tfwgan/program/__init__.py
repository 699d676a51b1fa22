"""The program: one module per verb of the command line."""
