//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write as _};

use super::primitives::Histogram;

/// A page of metrics under construction.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Starts a metric. Its samples follow.
    pub(super) fn metric(&mut self, name: &'static str, kind: &str, help: &str) -> Metric<'_> {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Metric { page: self, name }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A metric whose samples are being written.
#[derive(Debug)]
pub(super) struct Metric<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Metric<'_> {
    /// A sample. Label values come from the program: none has a quote, a backslash or the end of a line in it.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.line("", labels, None, value);
    }

    /// The samples of a histogram.
    pub(super) fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Histogram) {
        let (below, total, sum) = histogram.read();
        for (bound, count) in below {
            self.line("_bucket", labels, Some(&number(bound)), count);
        }
        self.line("_bucket", labels, Some("+Inf"), total);
        self.line("_sum", labels, None, number(sum));
        self.line("_count", labels, None, total);
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        bound: Option<&str>,
        value: impl Display,
    ) {
        let text = &mut self.page.0;
        let _ = write!(text, "{}{suffix}", self.name);
        let mut before = '{';
        let bound = bound.map(|bound| ("le", bound));
        for (name, value) in labels.iter().copied().chain(bound) {
            let _ = write!(text, "{before}{name}=\"{value}\"");
            before = ',';
        }
        let _ = writeln!(text, "{} {value}", if before == ',' { "}" } else { "" });
    }
}

/// A number as Go writes it: exponents have two digits, and begin below a ten-thousandth.
fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-4 {
        let text = format!("{value:e}");
        if let Some((digits, exponent)) = text.split_once("e-") {
            return format!("{digits}e-{exponent:0>2}");
        }
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::primitives::SHORT;
    use std::time::Duration;

    #[test]
    fn bounds_are_written_as_by_the_reference() {
        let texts: Vec<String> = SHORT.iter().map(|bound| number(*bound)).collect();
        assert_eq!(
            texts.join(" "),
            "1e-06 1e-05 2e-05 3e-05 4e-05 5e-05 6e-05 7e-05 8e-05 9e-05 0.0001 0.0005 0.001 0.005 0.01 1 3 5 10"
        );
        assert_eq!(number(0.0), "0");
        assert_eq!(number(86400.0), "86400");
    }

    #[test]
    fn samples() {
        let mut page = Page::default();
        page.metric("a_total", "counter", "how many").sample(&[], 7);
        page.metric("b", "gauge", "")
            .sample(&[("x", "y"), ("z", "1")], -1);
        assert_eq!(
            page.finish(),
            "# HELP a_total how many\n# TYPE a_total counter\na_total 7\n# HELP b \n# TYPE b gauge\n\
             b{x=\"y\",z=\"1\"} -1\n"
        );
    }

    #[test]
    fn histograms() {
        let histogram = Histogram::new(&[0.5, 1.0]);
        histogram.observe(Duration::from_millis(750));
        let mut page = Page::default();
        page.metric("h", "histogram", "t")
            .histogram(&[("db", "postgresql")], &histogram);
        assert_eq!(
            page.finish(),
            "# HELP h t\n# TYPE h histogram\nh_bucket{db=\"postgresql\",le=\"0.5\"} 0\n\
             h_bucket{db=\"postgresql\",le=\"1\"} 1\nh_bucket{db=\"postgresql\",le=\"+Inf\"} 1\n\
             h_sum{db=\"postgresql\"} 0.75\nh_count{db=\"postgresql\"} 1\n"
        );
    }
}
