//! Making tokens: random, of the form of what they stand for (tokens.md 2).

use super::error::TokenFault;
use super::value::decode;
use crate::columns::TokenType;
use rand::CryptoRng;

/// The characters of tokens that are text.
const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Endings of e-mail addresses: those of countries first, which all fit into 3 bytes.
const ENDINGS: [&[u8]; 11] = [
    b".au", b".br", b".de", b".jp", b".et", b".us", b".com", b".net", b".org", b".edu", b".info",
];

/// How many of [`ENDINGS`] are those of countries.
const COUNTRIES: usize = 6;

/// Shortest value that takes any ending.
const ANY_ENDING: usize = 8;

/// Random bytes that are drawn at once.
const DRAWN: usize = 64;

/// Makes a token for a value of so many bytes. Every choice is uniform.
///
/// # Errors
///
/// [`TokenFault::TooShort`].
pub fn generate(
    token_type: TokenType,
    length: usize,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, TokenFault> {
    match token_type {
        TokenType::Int32 | TokenType::Int32String => Ok(bytes(4, rng)),
        TokenType::Int64 | TokenType::Int64String => Ok(bytes(8, rng)),
        TokenType::Bytes => Ok(bytes(length, rng)),
        TokenType::Str => Ok(letters(length, rng)),
        TokenType::Email => email(length, rng),
    }
}

/// What is equal to no token of a type, as text: by its form, or because nobody will guess it. `None`: there is no such thing,
/// since every number of 32 bits may be a token.
pub(super) fn unlike(token_type: TokenType, rng: &mut dyn CryptoRng) -> Option<Vec<u8>> {
    match token_type {
        TokenType::Int32 => None,
        TokenType::Int64 => decode(token_type, &bytes(8, rng)),
        TokenType::Bytes => Some(bytes(32, rng)),
        // Neither letters, digits nor addresses begin so.
        TokenType::Str | TokenType::Email | TokenType::Int32String | TokenType::Int64String => {
            Some([b"~", &*letters(31, rng)].concat())
        }
    }
}

fn bytes(length: usize, rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn letters(length: usize, rng: &mut dyn CryptoRng) -> Vec<u8> {
    let mut token = Vec::with_capacity(length);
    let mut drawn = [0; DRAWN];
    while token.len() < length {
        rng.fill_bytes(&mut drawn);
        // Six bits are a number below 64; those that are no letter are thrown away, so that none is more likely.
        let letters = drawn
            .iter()
            .filter_map(|byte| LETTERS.get(usize::from(byte & 63)));
        token.extend(letters.take(length - token.len()));
    }
    token
}

/// A number below `bound`, which is at most 16.
fn below(bound: usize, rng: &mut dyn CryptoRng) -> usize {
    loop {
        let mut drawn = [0];
        rng.fill_bytes(&mut drawn);
        let [byte] = drawn;
        let number = usize::from(byte & 15);
        if number < bound {
            return number;
        }
    }
}

fn email(length: usize, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, TokenFault> {
    let endings = match length < ANY_ENDING {
        true => COUNTRIES,
        false => ENDINGS.len(),
    };
    let ending = ENDINGS.get(below(endings, rng)).copied();
    let ending = ending.unwrap_or_default();
    let name = length
        .checked_sub(ending.len())
        .ok_or(TokenFault::TooShort)?;
    let mut token = letters(name, rng);
    if let Some(middle) = token.get_mut(name / 2) {
        *middle = b'@';
    }
    token.extend_from_slice(ending);
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn tokens_have_the_form_of_their_type() {
        let mut rng = StdRng::seed_from_u64(1);
        for length in 0..200 {
            let token = generate(TokenType::Str, length, &mut rng).unwrap();
            assert_eq!(token.len(), length);
            assert!(token.iter().all(u8::is_ascii_alphanumeric));
            assert_eq!(
                generate(TokenType::Bytes, length, &mut rng).unwrap().len(),
                length
            );
        }
        assert_eq!(generate(TokenType::Int32, 0, &mut rng).unwrap().len(), 4);
        assert_eq!(
            generate(TokenType::Int64String, 0, &mut rng).unwrap().len(),
            8
        );
    }

    #[test]
    fn e_mail_addresses_have_their_sign_in_the_middle_and_a_known_ending() {
        let mut rng = StdRng::seed_from_u64(2);
        for short in 0..3 {
            assert_eq!(
                generate(TokenType::Email, short, &mut rng),
                Err(TokenFault::TooShort)
            );
        }
        let mut seen = std::collections::BTreeSet::new();
        for length in (3..40).cycle().take(4000) {
            let token = generate(TokenType::Email, length, &mut rng).unwrap();
            assert_eq!(token.len(), length);
            let text = String::from_utf8(token).unwrap();
            let ending = &text[text.rfind('.').unwrap()..];
            assert!(ENDINGS.contains(&ending.as_bytes()), "{text}");
            assert!(length >= 8 || ending.len() == 3, "{text}");
            let name = length - ending.len();
            assert_eq!(text.find('@'), (name > 0).then_some(name / 2), "{text}");
            seen.insert(ending.to_owned());
        }
        assert_eq!(seen.len(), ENDINGS.len());
    }

    #[test]
    fn no_letter_is_likelier_than_another() {
        let mut rng = StdRng::seed_from_u64(3);
        let token = letters(62 * 10_000, &mut rng);
        for letter in LETTERS {
            let count = token.iter().filter(|byte| *byte == letter).count();
            // Six standard deviations around 10 000.
            assert!((9_400..10_600).contains(&count), "{letter}: {count}");
        }
        let mut endings = [0_u32; 11];
        for _ in 0..110_000 {
            endings[below(11, &mut rng)] += 1;
        }
        assert!(
            endings.iter().all(|count| (9_400..10_600).contains(count)),
            "{endings:?}"
        );
    }
}
