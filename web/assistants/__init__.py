"""What assistants may use: the search as tools of the Model Context Protocol."""
