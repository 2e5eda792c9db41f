//! Words of a text that is not read.

use memchr::memchr2_iter;

/// Whether these letters stand anywhere in a text, in any case; `word` is in lower case.
pub fn spells(text: &[u8], word: &[u8]) -> bool {
    let Some(first) = word.first() else {
        return true;
    };
    memchr2_iter(*first, first.to_ascii_uppercase(), text).any(|at| {
        let there = text.get(at..at + word.len());
        there.is_some_and(|there| there.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_found_wherever_it_stands(
            text in proptest::collection::vec(proptest::sample::select(b"aAlLtTeErR ;".to_vec()), 0..40),
            word in proptest::sample::select(vec![&b"alter"[..], b"al", b"a", b""]),
        ) {
            let anywhere = word.is_empty()
                || text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
            prop_assert_eq!(spells(&text, word), anywhere);
        }
    }
}
