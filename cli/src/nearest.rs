//! The known name that a misspelt one most likely meant.

/// The closest of `known` to `name`, if it is close enough to be worth saying.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Far longer than any name; keeps the work small on hostile keys.
    const LONGEST: usize = 128;
    if name.len() > LONGEST {
        return None;
    }
    let limit = (name.chars().count() / 3).clamp(1, 4);
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions and replacements that turn one text into the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i.saturating_add(1);
        for (cell, r) in row.iter_mut().skip(1).zip(&right) {
            let replaced = diagonal.saturating_add(usize::from(l != *r));
            diagonal = *cell;
            *cell = replaced
                .min(before.saturating_add(1))
                .min(diagonal.saturating_add(1));
            before = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn suggestions() {
        let known = ["db_host", "db_port", "keys_dir"];
        assert_eq!(nearest("db_hots", known.into_iter()), Some("db_host"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
        assert_eq!(nearest(&"d".repeat(1000), known.into_iter()), None);
    }
}
