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
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        let known = ["db_host", "db_port", "keys_dir"];
        assert_eq!(nearest("db_hots", known.into_iter()), Some("db_host"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
        assert_eq!(nearest(&"d".repeat(1000), known.into_iter()), None);
    }
}
