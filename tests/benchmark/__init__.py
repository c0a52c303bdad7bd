"""What a request costs: the generated service beside a textbook one and the hand-written limit."""
