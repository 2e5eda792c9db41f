//! Through a proxy that protects nothing, every answer of PostgreSQL arrives byte for byte as it is.
//!
//! Every script runs against each version of PostgreSQL directly and through each target; see `targets.rs`.

mod copies;
mod extended;
mod pipelines;
mod refusals;
mod sessions;
mod simple;
mod targets;

/// Makes a test of each script, for each target and version.
macro_rules! parity {
    ($([$target:ident $kind:ident])+ => $scripts:tt) => {
        $(mod $target {
            parity!(@version v15 15 $kind $scripts);
            parity!(@version v17 17 $kind $scripts);
            parity!(@version v18 18 $kind $scripts);
        })+
    };
    (@version $name:ident $version:literal $kind:ident { $($module:ident: $($script:ident),+;)+ }) => {
        mod $name {
            $(mod $module {
                $(#[test]
                fn $script() -> acra_harness::Result<()> {
                    let kind = crate::targets::Kind::$kind;
                    crate::targets::check($version, kind, crate::$module::$script)
                })+
            })+
        }
    };
}

parity! {
    [null_relay NullRelay] [acra_server AcraServer] => {
        sessions: trusted, parameters_of_startup, wrong_database, passwords, wrong_passwords, tls_request,
            version_3_2, later_version, unknown_options, terminate, lost_without_terminate, server_ends_session,
            cancel;
        simple: one_statement, many_statements, empty, errors, transactions, nulls_and_types, large_values, notices,
            parameter_changes, encodings, notifications, function_calls, prepared_in_sql, cursors;
        pipelines: one_pipeline, errors_until_sync, flush, nothing_to_execute, transaction_pipelines;
        extended: unnamed_again, named_statements, binary_formats, row_limits, describe_everything, close, many_values,
            plan_changes;
        copies: text_in, binary_in, text_out, binary_out, fails_in, errors_in, interrupted_in, extended_in, large_in,
            many_copies;
    }
}

/// What `acra-server` answers itself, see `refusals.rs`.
mod pump_only {
    parity! {
        [null_relay NullRelay] => {
            sessions: unknown_versions, garbage;
            pipelines: wrong_messages;
        }
    }
}
