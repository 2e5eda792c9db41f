//! The built `acra-keys` and `acra-poisonrecordmaker`, as a shell runs them.

mod arguments;
mod bundles;
mod certificates;
mod check;
mod generate;
mod migrate;
mod of_acra;
mod poison;
mod stored;
mod support;
mod terminal;
mod version_2;
