//! The bytes of a value: what is hashed and stored (tokens.md 2).
//!
//! Applications see values as text (numbers in decimal) or, of type `bytes`, as they are. Numbers are stored in 4 or 8
//! bytes, two's complement, little-endian; everything else as it is.

use super::error::TokenFault;
use crate::columns::TokenType;

/// The number of a type in records (`TokenType` in Acra's protobuf messages).
pub fn type_id(token_type: TokenType) -> u8 {
    match token_type {
        TokenType::Int32 => 1,
        TokenType::Int64 => 2,
        TokenType::Str => 3,
        TokenType::Bytes => 4,
        TokenType::Email => 5,
        TokenType::Int32String => 6,
        TokenType::Int64String => 7,
    }
}

/// The bytes of a value that is given as text.
///
/// # Errors
///
/// A number in another form, or too large for its type. In a column of text it must be in its shortest form, since it
/// comes back so.
pub fn encode(token_type: TokenType, text: &[u8]) -> Result<Vec<u8>, TokenFault> {
    match token_type {
        TokenType::Int32 => Ok(int32(number(text)?)?),
        TokenType::Int64 => Ok(number(text)?.to_le_bytes().to_vec()),
        TokenType::Int32String => int32(canonical(text)?),
        TokenType::Int64String => Ok(canonical(text)?.to_le_bytes().to_vec()),
        TokenType::Str | TokenType::Bytes | TokenType::Email => Ok(text.to_vec()),
    }
}

/// The text of a value from its bytes; `None`: not as many bytes as the type has.
pub fn decode(token_type: TokenType, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match token_type {
        TokenType::Int32 | TokenType::Int32String => {
            let number = i32::from_le_bytes(bytes.try_into().ok()?);
            number.to_string().into_bytes()
        }
        TokenType::Int64 | TokenType::Int64String => {
            let number = i64::from_le_bytes(bytes.try_into().ok()?);
            number.to_string().into_bytes()
        }
        TokenType::Str | TokenType::Bytes | TokenType::Email => bytes.to_vec(),
    })
}

fn int32(number: i64) -> Result<Vec<u8>, TokenFault> {
    let number = i32::try_from(number).map_err(|_| TokenFault::OutOfRange)?;
    Ok(number.to_le_bytes().to_vec())
}

/// A signed decimal number of 64 bits; `+` and zeros in front are allowed, blanks are not.
fn number(text: &[u8]) -> Result<i64, TokenFault> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    let text = std::str::from_utf8(text).map_err(|_| TokenFault::NotANumber)?;
    text.parse().map_err(|error: std::num::ParseIntError| {
        if matches!(error.kind(), PosOverflow | NegOverflow) {
            TokenFault::OutOfRange
        } else {
            TokenFault::NotANumber
        }
    })
}

fn canonical(text: &[u8]) -> Result<i64, TokenFault> {
    let number = number(text)?;
    match number.to_string().as_bytes() == text {
        true => Ok(number),
        false => Err(TokenFault::NotCanonical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_out_of_range_and_in_other_forms_are_refused() {
        for (token_type, text, expected) in [
            (
                TokenType::Int32,
                "2147483647",
                Ok(vec![0xff, 0xff, 0xff, 0x7f]),
            ),
            (TokenType::Int32, "+007", Ok(vec![7, 0, 0, 0])),
            (TokenType::Int32, "2147483648", Err(TokenFault::OutOfRange)),
            (
                TokenType::Int64,
                "9223372036854775808",
                Err(TokenFault::OutOfRange),
            ),
            (TokenType::Int64, "", Err(TokenFault::NotANumber)),
            (TokenType::Int64, " 7", Err(TokenFault::NotANumber)),
            (TokenType::Int64, "0x7", Err(TokenFault::NotANumber)),
            (TokenType::Int32String, "-7", Ok(vec![0xf9, 255, 255, 255])),
            (TokenType::Int32String, "007", Err(TokenFault::NotCanonical)),
            (TokenType::Int64String, "+7", Err(TokenFault::NotCanonical)),
            (TokenType::Int64String, "-0", Err(TokenFault::NotCanonical)),
        ] {
            assert_eq!(
                encode(token_type, text.as_bytes()),
                expected,
                "{token_type:?} {text}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(number: i64, bytes: Vec<u8>) {
            let text = number.to_string().into_bytes();
            for token_type in [TokenType::Int64, TokenType::Int64String] {
                let encoded = encode(token_type, &text).unwrap();
                prop_assert_eq!(decode(token_type, &encoded), Some(text.clone()));
            }
            prop_assert_eq!(decode(TokenType::Bytes, &encode(TokenType::Bytes, &bytes).unwrap()), Some(bytes.clone()));
            prop_assert_eq!(decode(TokenType::Int32, &bytes).is_some(), bytes.len() == 4);
        }
    }
}
