"""The built-in world: illustrated scenes whose captions, boxes and answers are known exactly."""
