use super::tokens;
use crate::sql::Lexical;
use crate::sql::shape::Shape;

fn shape(text: &str) -> Shape {
    let mut shape = Shape::default();
    shape.compute(text.as_bytes(), &tokens(text), &Lexical::default());
    shape
}

fn slots(text: &str) -> Vec<u32> {
    shape(text)
        .literals()
        .iter()
        .map(|lifted| lifted.slot)
        .collect()
}

#[test]
fn data_blanks_and_comments_do_not_count() {
    let one = shape("SELECT a FROM t WHERE b = 'x' AND c = 1 LIMIT 10");
    for text in [
        "select a from T where b = 'another' and c = 22 limit 1",
        "/* trace 17 */ SELECT a\nFROM t -- why\nWHERE b='' AND c=0.5 LIMIT 3",
    ] {
        assert_eq!(shape(text).key(), one.key(), "{text}");
    }
}

#[test]
fn everything_else_counts() {
    let texts = [
        "SELECT a FROM t WHERE b = 'x'",
        "SELECT a FROM t WHERE b = E'x'",
        "SELECT a FROM t WHERE b = 1",
        "SELECT a FROM t WHERE b = $1",
        "SELECT a FROM t WHERE b = $2",
        "SELECT a FROM t WHERE b <> 'x'",
        "SELECT \"a\" FROM t WHERE b = 'x'",
        "SELECT \"A\" FROM t WHERE b = 'x'",
        "SELECT a FROM t ORDER BY 1",
        "SELECT a FROM t ORDER BY 2",
        "SELECT a FROM t WHERE b IN (1)",
        "SELECT a FROM t WHERE b IN (1, 2)",
        "INSERT INTO t (a) VALUES ('x')",
        "INSERT INTO t (a) VALUES ('x'), ('y')",
        "INSERT INTO t (a) VALUES ('x'), (NULL)",
        "INSERT INTO t (a) VALUES ('x'), ('y'), (NULL)",
        "INSERT INTO t (a) VALUES ('x'), (NULL), ('y')",
    ];
    for (index, one) in texts.iter().enumerate() {
        for other in &texts[index + 1..] {
            assert_ne!(shape(one).key(), shape(other).key(), "{one} / {other}");
        }
    }
}

#[test]
fn lists_of_any_length_have_one_shape_and_share_slots() {
    let two = "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')";
    let four = "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'), (3, 'z'), (4, '')";
    assert_eq!(shape(two).key(), shape(four).key());
    assert_eq!(slots(four), [0, 1, 0, 1, 0, 1, 0, 1]);
    assert_eq!(
        slots("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (NULL, 'z'), (NULL, 'u') RETURNING 'v'"),
        [0, 1, 0, 1, 2, 2, 3]
    );
    assert_eq!(shape("x IN (1, 2)").key(), shape("x IN (1, 2, 3, 4)").key());
    assert_eq!(slots("x IN (1, 2, 3) AND y = 4"), [0, 0, 0, 1]);
    assert_eq!(slots("x IN (1, 2, 3 + 4)"), [0, 0, 1, 2]);
}

#[test]
fn a_token_tells_its_slot() {
    let text = "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')";
    let shape = shape(text);
    let of: Vec<Option<usize>> = (0..tokens(text).len())
        .map(|token| shape.slot(token))
        .collect();
    assert_eq!(
        of.iter().flatten().copied().collect::<Vec<_>>(),
        [0, 1, 0, 1]
    );
    assert_eq!(shape.slots(), 2);
    assert_eq!(shape.folded(), std::slice::from_ref(&(14..20)));
}

#[test]
fn long_texts_take_time_by_their_length() {
    // Quadratic work on these would take minutes.
    let unclosed = "values (".repeat(200_000);
    assert_eq!(shape(&unclosed).folded(), []);
    let many = "INSERT INTO t (a) VALUES (1), (2);".repeat(50_000);
    assert_eq!(shape(&many).folded().len(), 50_000);
}
