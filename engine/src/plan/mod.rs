//! What will be done to a statement, its parameters and its results.
