"""One module for each part of the back office; `registry` lists all views."""
