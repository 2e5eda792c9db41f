//! Starts real databases and built binaries, drives them, compares.
