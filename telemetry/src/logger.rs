//! Where lines go, and which.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Moment;
use crate::format::{Entry, Format, Level, Writer};
use crate::{Field, Value};

/// Where lines go. With neither they vanish.
#[derive(Clone, Copy, Debug)]
pub struct Destinations<'a> {
    /// To standard error.
    pub console: bool,
    /// To the end of this file, which is made with mode 0600 where it does not exist. It is opened once.
    pub file: Option<&'a Path>,
}

/// Writes lines. Clones share everything.
#[derive(Clone)]
pub struct Logger {
    shared: Arc<Shared>,
}

struct Shared {
    writer: Writer,
    format: Format,
    /// The lowest [`Level`] that is written.
    level: AtomicU8,
    /// Locked for one line at a time, so that lines never interleave.
    sinks: Mutex<Vec<Box<dyn Write + Send>>>,
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared {
            writer,
            format,
            level,
            ..
        } = &*self.shared;
        f.debug_struct("Logger")
            .field("writer", writer)
            .field("format", format)
            .field("level", level)
            .finish()
    }
}

impl Logger {
    /// A logger for `product`, at level info.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn new(
        product: &'static str,
        version: &'static str,
        format: Format,
        destinations: Destinations<'_>,
    ) -> io::Result<Self> {
        let mut sinks: Vec<Box<dyn Write + Send>> = Vec::new();
        if destinations.console {
            sinks.push(Box::new(io::stderr()));
        }
        if let Some(path) = destinations.file {
            sinks.push(Box::new(open(path)?));
        }
        Ok(Self::with_sinks(Writer { product, version }, format, sinks))
    }

    fn with_sinks(writer: Writer, format: Format, sinks: Vec<Box<dyn Write + Send>>) -> Self {
        let level = AtomicU8::new(Level::Info as u8);
        Self {
            shared: Arc::new(Shared {
                writer,
                format,
                level,
                sinks: Mutex::new(sinks),
            }),
        }
    }

    /// Sets the lowest level that is written from now on.
    pub fn set_level(&self, level: Level) {
        self.shared.level.store(level as u8, Ordering::Relaxed);
    }

    /// Whether lines of this level are written; for those whose making costs something.
    pub fn is_enabled(&self, level: Level) -> bool {
        level as u8 >= self.shared.level.load(Ordering::Relaxed)
    }

    /// Writes a line, in one piece to each destination. A destination that fails does not hinder the other, and nobody
    /// can be told.
    pub fn log(&self, level: Level, message: &str, fields: &[Field<'_>]) {
        if !self.is_enabled(level) {
            return;
        }
        let mut line = String::with_capacity(256);
        let entry = Entry {
            moment: Moment::now(),
            level,
            message,
            fields,
        };
        self.shared
            .format
            .write(self.shared.writer, &entry, &mut line);
        // A panic while the lock was held leaves at worst half a line behind.
        let mut sinks = self
            .shared
            .sinks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for sink in sinks.iter_mut() {
            let _ = sink.write_all(line.as_bytes());
        }
    }

    /// Writes a line for those who look for a fault.
    pub fn debug(&self, message: &str, fields: &[Field<'_>]) {
        self.log(Level::Debug, message, fields);
    }

    /// Writes a line about what goes on.
    pub fn info(&self, message: &str, fields: &[Field<'_>]) {
        self.log(Level::Info, message, fields);
    }

    /// Writes a line about something odd.
    pub fn warning(&self, message: &str, fields: &[Field<'_>]) {
        self.log(Level::Warning, message, fields);
    }

    /// Writes a line about a failure.
    pub fn error(&self, message: &str, fields: &[Field<'_>]) {
        self.log(Level::Error, message, fields);
    }

    /// Sets the level for the time after start-up and says so, as `-d` and `-v` ask for (observability.md 1).
    pub fn end_start_up(&self, debug: bool, verbose: bool) {
        let (level, message) = if debug {
            (Level::Debug, "Enabling DEBUG log level")
        } else if verbose {
            (Level::Info, "Enabling VERBOSE log level")
        } else {
            (
                Level::Warning,
                "Disabling future logs... Set -v -d to see logs",
            )
        };
        self.info(message, &[]);
        self.set_level(level);
    }

    /// Writes the first line of a service, the only one that has its version in every format.
    pub fn start_up(&self, pid: u32) {
        let Writer { product, version } = self.shared.writer;
        self.info(
            &format!("Starting service {product} [pid={pid}]"),
            &[("version", Value::Text(version))],
        );
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::thread;

    use super::*;

    /// Keeps each write apart.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<String>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .unwrap()
                .push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Takes nothing.
    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logger() -> (Logger, Sink) {
        let sink = Sink::default();
        let writer = Writer {
            product: "acra-test",
            version: "0.1.0",
        };
        let sinks: Vec<Box<dyn Write + Send>> = vec![Box::new(Broken), Box::new(sink.clone())];
        (Logger::with_sinks(writer, Format::Plaintext, sinks), sink)
    }

    /// What was written, without the times.
    fn lines(sink: &Sink) -> Vec<String> {
        let lines = sink.0.lock().unwrap();
        lines
            .iter()
            .map(|line| line.split_once("Z\" ").unwrap().1.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn levels() {
        let (logger, sink) = logger();
        logger.debug("hidden", &[]);
        logger.start_up(7);
        logger.end_start_up(false, false);
        logger.info("hidden", &[]);
        logger.warning("shown", &[]);
        logger.end_start_up(false, true);
        logger.set_level(Level::Info);
        logger.end_start_up(true, true);
        logger.debug("shown", &[]);
        logger.error("shown", &[("error", "why not".into())]);
        assert!(logger.clone().is_enabled(Level::Debug));
        assert_eq!(
            lines(&sink),
            [
                "level=info msg=\"Starting service acra-test [pid=7]\" version=0.1.0",
                "level=info msg=\"Disabling future logs... Set -v -d to see logs\"",
                "level=warning msg=shown",
                "level=info msg=\"Enabling DEBUG log level\"",
                "level=debug msg=shown",
                "level=error msg=shown error=\"why not\"",
            ]
        );
    }

    #[test]
    fn lines_of_many_threads_stay_whole() {
        let (logger, sink) = logger();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..100).for_each(|number| logger.info("line", &[("n", Value::Number(number))]))
                });
            }
        });
        let lines = sink.0.lock().unwrap();
        assert_eq!(lines.len(), 400);
        assert!(
            lines
                .iter()
                .all(|line| line.ends_with('\n') && line.matches('\n').count() == 1)
        );
    }

    #[test]
    fn files_are_private_and_appended_to() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        for message in ["one", "two"] {
            let destinations = Destinations {
                console: false,
                file: Some(&path),
            };
            Logger::new("acra-test", "0.1.0", Format::Cef, destinations)
                .unwrap()
                .info(message, &[]);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(
            text.contains("|one|1|") && text.contains("|two|1|"),
            "{text}"
        );
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let nowhere = Destinations {
            console: false,
            file: Some(&path.join("x")),
        };
        assert!(Logger::new("acra-test", "0.1.0", Format::Json, nowhere).is_err());
    }
}
