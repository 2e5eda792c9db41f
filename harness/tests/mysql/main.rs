//! `acra-server` in front of MariaDB and MySQL: what passes is the same byte for byte, containers in results are opened.

/// Makes a test of each function, with MariaDB and with MySQL.
macro_rules! on_both {
    ($($name:ident;)+) => {
        $(mod $name {
            use acra_harness::Result;
            use acra_harness::servers::Flavour;

            #[test]
            fn on_mariadb() -> Result<()> {
                super::$name(Flavour::MariaDb)
            }

            #[test]
            fn on_mysql() -> Result<()> {
                super::$name(Flavour::MySql)
            }
        })+
    };
}

/// Makes a test of each scenario, with a configuration of its own, with MariaDB and with MySQL.
macro_rules! configured {
    ($($name:ident: $change:ident;)+) => {
        $(mod $name {
            use super::{Flavour, Result, scenario};

            #[test]
            fn on_mariadb() -> Result<()> {
                scenario(Flavour::MariaDb, super::$change, super::$name)
            }

            #[test]
            fn on_mysql() -> Result<()> {
                scenario(Flavour::MySql, super::$change, super::$name)
            }
        })+
    };
}

mod case;
mod chosen;
mod compressed;
mod drivers;
mod dump;
mod lasting;
mod leaks;
mod lengths;
mod lexical;
mod opened;
#[macro_use]
mod protected;
mod loads;
mod named;
mod queries;
mod random;
mod scripts;
mod sets;
mod start;
mod statements;
mod targets;
mod tls;
mod updates;
mod variables;

/// Makes a test of each script, beside each server and with each set of capabilities.
macro_rules! parity {
    ($flavour:ident $name:ident: $($set:ident = $capabilities:expr),+ => $scripts:tt) => {
        mod $name {
            $(mod $set {
                parity!(@scripts $flavour, $capabilities, $scripts);
            })+
        }
    };
    (@scripts $flavour:ident, $capabilities:expr, { $($module:ident: $($script:ident),+;)+ }) => {
        $($(#[test]
        fn $script() -> acra_harness::Result<()> {
            use acra_engine::wire::mysql::Capabilities;
            let flavour = acra_harness::servers::Flavour::$flavour;
            let capabilities: Capabilities = $capabilities;
            crate::targets::check(flavour, capabilities, crate::$module::$script)
        })+)+
    };
}

parity! {
    MariaDb mariadb: plain = crate::targets::PLAIN, all = crate::targets::MARIADB => {
        scripts: texts, many_results, types, errors, commands, local_file, long_texts, long_rows, users, wrong_logins,
            wrong_packets, pipelines, binlog;
        statements: prepared, types_of_parameters, cursors, long_data, bulk, procedures, unknown_statements;
    }
}

parity! {
    MySql mysql: plain = crate::targets::PLAIN, all = crate::targets::MYSQL => {
        scripts: texts, many_results, types, errors, commands, local_file, long_texts, long_rows, users, wrong_logins,
            wrong_packets, pipelines, attributes, without_definitions;
        statements: prepared, types_of_parameters, cursors, long_data, procedures, unknown_statements;
    }
}

parity! {
    MariaDb mariadb_compressed: zlib = crate::targets::MARIADB_ZLIB => {
        scripts: texts, many_results, types, errors, commands, local_file, long_texts, long_rows, users, wrong_logins, pipelines,
            binlog;
        statements: prepared, types_of_parameters, cursors, long_data, bulk, procedures, unknown_statements;
    }
}

parity! {
    MySql mysql_compressed: zstd = crate::targets::MYSQL_ZSTD => {
        scripts: texts, many_results, types, errors, commands, local_file, long_texts, long_rows, users, wrong_logins, pipelines,
            attributes, without_definitions;
        statements: prepared, types_of_parameters, cursors, long_data, procedures, unknown_statements;
    }
}
