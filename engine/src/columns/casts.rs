//! Casts of values that a column gets: to which types its values may be cast.

use super::kinds::TokenType;
use super::setting::{Setting, Transform};
use crate::types::Type;

impl Setting {
    /// Whether a value of the type with this OID is one of the column without becoming another: what the database would
    /// make of it must be the same as what is made of it here.
    pub fn takes_cast(&self, oid: u32) -> bool {
        let Some(cast) = Type::of_oid(oid) else {
            return false;
        };
        if let Transform::Tokenized { token_type, .. } = self.transform {
            return match token_type {
                // The token must be one of the type, too.
                TokenType::Int32 => matches!(cast, Type::Int4 | Type::Int8),
                TokenType::Int64 => cast == Type::Int8,
                TokenType::Bytes => false,
                // Blanks at the end would be its own.
                _ => is_string(cast) && cast != Type::Bpchar,
            };
        }
        match self.shown_type() {
            // Without a type of its own it holds the text of a number as well.
            None => is_string(cast) || is_integer(cast),
            Some(Type::Text | Type::Varchar | Type::Bpchar) => is_string(cast),
            Some(Type::Numeric) => is_integer(cast) || cast == Type::Numeric,
            Some(column) => column == cast || is_integer(column) && is_integer(cast),
        }
    }

    /// Whether the elements of an array of the type with this OID are values of the column, which has a type of its own.
    pub fn takes_elements(&self, oid: u32) -> bool {
        let (Some(of), Some(column), None) =
            (Type::of_oid(oid), self.shown_type(), self.tokenized())
        else {
            return false;
        };
        match column {
            Type::Bytea => false,
            Type::Text | Type::Varchar => matches!(of, Type::Text | Type::Varchar),
            _ => of == column || is_integer(column) && is_integer(of),
        }
    }

    /// Whether the database compares the column with a value of `char(n)` as it compares it with that value without the blanks at
    /// its end. In columns of other string types it ignores those of the column as well.
    pub fn compares_without_blanks(&self) -> bool {
        self.shown_type() == Some(Type::Text)
    }
}

/// Of types with these OIDs, which are one type or integers, the one that has the fewest values.
pub fn narrowest(oids: impl Iterator<Item = u32>) -> Option<u32> {
    let types = oids.filter_map(Type::of_oid);
    types.min_by_key(|of| of.size()).map(Type::oid)
}

fn is_string(kind: Type) -> bool {
    matches!(kind, Type::Text | Type::Varchar | Type::Bpchar)
}

fn is_integer(kind: Type) -> bool {
    matches!(kind, Type::Int2 | Type::Int4 | Type::Int8)
}
