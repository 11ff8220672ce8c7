"""What customers are told of: events of every slice, and which message each becomes."""
