"""Who brought whom: share codes, touches, and the customers' bindings to their distributors."""
