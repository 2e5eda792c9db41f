//! Lexer, sanitised copy, shape, facts and span edits.
