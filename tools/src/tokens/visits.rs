//! `status`, `disable`, `enable`, `remove`.

use super::size::human;
use super::{checked, visit, wrong};
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_stores::tokens::Action;
use serde::Serialize;

/// Numbers of tokens and of the bytes that are sealed in them.
#[derive(Default, Serialize)]
struct Status {
    token_count: u64,
    storage_size: u64,
    disabled_token_count: u64,
    disabled_storage_size: u64,
}

/// `acra-tokens status`.
pub(super) fn status(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let filter = checked(parsed, with)?;
    let mut status = Status::default();
    visit(parsed, with, &mut |visited| {
        if filter.takes(visited) {
            let size = visited.metadata.data.len() as u64;
            status.token_count += 1;
            status.storage_size += size;
            if visited.metadata.disabled {
                status.disabled_token_count += 1;
                status.disabled_storage_size += size;
            }
        }
        Action::Keep
    })?;
    print(&status, parsed.boolean("json"), with)
        .map_err(|error| Failure::fatal("Failed to print the status").caused_by(error))
}

fn print(status: &Status, json: bool, with: &mut Surroundings<'_>) -> std::io::Result<()> {
    if json {
        serde_json::to_writer(&mut *with.out, status)?;
        return writeln!(with.out);
    }
    let Status {
        token_count,
        storage_size,
        disabled_token_count,
        disabled_storage_size,
    } = status;
    write!(
        with.out,
        "TokenCount: {token_count}\nStorageSize: {storage_size} ({})\nDisabledTokenCount: {disabled_token_count}\n\
         DisabledStorageSize: {disabled_storage_size} ({})\n",
        human(*storage_size),
        human(*disabled_storage_size),
    )
}

/// `acra-tokens disable` and `acra-tokens enable`.
pub(super) fn set(
    parsed: &Parsed,
    with: &mut Surroundings<'_>,
    action: Action,
) -> Result<(), Failure> {
    let filter = checked(parsed, with)?;
    let (mut inspected, mut changed) = (0_u64, 0_u64);
    visit(parsed, with, &mut |visited| {
        if !filter.takes(visited) {
            return Action::Keep;
        }
        inspected += 1;
        changed += u64::from(visited.metadata.disabled != (action == Action::Disable));
        action
    })?;
    let done = match action {
        Action::Disable => "Disabled",
        _ => "Enabled",
    };
    let message = format!("{done} {changed} tokens (out of {inspected} inspected)");
    with.logger.info(&message, &[]);
    Ok(())
}

/// `acra-tokens remove`.
pub(super) fn remove(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let filter = checked(parsed, with)?;
    let (all, only_disabled) = (parsed.boolean("all"), parsed.boolean("only_disabled"));
    match (all, only_disabled) {
        (false, false) => {
            return Err(wrong(
                with,
                "Either --all or --only_disabled must be specified",
                "underspecified removal conditions",
            ));
        }
        (true, true) => with.logger.warning("Only disabled tokens are removed", &[]),
        _ => {}
    }
    let dry_run = parsed.boolean("dry_run");
    let (mut total, mut enabled, mut disabled, mut freed) = (0_u64, 0_u64, 0_u64, 0_u64);
    visit(parsed, with, &mut |visited| {
        total += 1;
        let is_disabled = visited.metadata.disabled;
        if !filter.takes(visited) || only_disabled && !is_disabled {
            return Action::Keep;
        }
        freed += visited.metadata.data.len() as u64;
        match is_disabled {
            true => disabled += 1,
            false => enabled += 1,
        }
        match dry_run {
            true => Action::Keep,
            false => Action::Remove,
        }
    })?;
    let removed = enabled + disabled;
    let mut lines = vec![
        format!("Removed {removed} tokens (out of {total} in total)"),
        format!("Freed approximately {} of token storage", human(freed)),
    ];
    if dry_run {
        lines.push(format!(
            "Nothing was removed yet: it would remove {enabled} enabled and {disabled} disabled tokens"
        ));
        lines.push("Now run without --dry_run to actually remove the tokens".to_owned());
    }
    for line in lines {
        with.logger.info(&line, &[]);
    }
    Ok(())
}
