"""What the tests share: homes to break, children that misbehave, and waiting without hoping."""
