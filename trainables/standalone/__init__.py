"""What a trial trained, without tuneoff: a script of plain transformers and peft, and a merged model."""
