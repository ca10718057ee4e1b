"""Translation of captions, questions and answers, with every phrase kept on its box."""
