"""What a picture carries besides its pixels: facts of the camera, words and names that people have written into it."""
