//! Flags in the grammar of Acra, configuration files, usage and dump.
