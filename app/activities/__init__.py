"""Activities: group buy, bargain, flash sale, lucky draw, check-in, fission rounds."""
