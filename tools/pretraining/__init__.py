"""How the embedded model is made: `python -m tools.pretraining.pretrain`."""
