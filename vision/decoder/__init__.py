"""How foreign pictures become pixels: a contract, a disposable child that decodes, and its parent's side."""
