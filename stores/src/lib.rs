//! Where keys live: key store back ends and master key sources.
