//! What client and server agree to use: one bit each.
//!
//! Bits 0 to 31 are MySQL's; MariaDB has 32 more of its own, which it puts in reserved bytes of the greeting and of the
//! client's answer when bit 0 ([`LONG_PASSWORD`](Capabilities::LONG_PASSWORD)) is clear in the greeting (MariaDB
//! documentation, "Connection").

/// A set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// Set by MySQL servers alone (`CLIENT_LONG_PASSWORD`; `CLIENT_MYSQL` to MariaDB).
    pub const LONG_PASSWORD: Self = Self(1);
    /// The client names a schema.
    pub const CONNECT_WITH_DB: Self = Self(1 << 3);
    /// The compressed protocol, by zlib.
    pub const COMPRESS: Self = Self(1 << 5);
    /// The server may ask the client for a file (`LOAD DATA LOCAL`).
    pub const LOCAL_FILES: Self = Self(1 << 7);
    /// The protocol of MySQL 4.1.
    pub const PROTOCOL_41: Self = Self(1 << 9);
    /// TLS.
    pub const SSL: Self = Self(1 << 11);
    /// The status of the session is in OK packets.
    pub const TRANSACTIONS: Self = Self(1 << 13);
    /// Authentication as in MySQL 4.1 (`CLIENT_RESERVED2`).
    pub const SECURE_CONNECTION: Self = Self(1 << 15);
    /// Several statements in one text.
    pub const MULTI_STATEMENTS: Self = Self(1 << 16);
    /// Authentication plugins have names.
    pub const PLUGIN_AUTH: Self = Self(1 << 19);
    /// The client tells about itself.
    pub const CONNECT_ATTRS: Self = Self(1 << 20);
    /// The client's first answer to authentication may have any length.
    pub const PLUGIN_AUTH_LENENC: Self = Self(1 << 21);
    /// Changes of the session are in OK packets.
    pub const SESSION_TRACK: Self = Self(1 << 23);
    /// An OK packet ends a result, and nothing ends the definitions.
    pub const DEPRECATE_EOF: Self = Self(1 << 24);
    /// Definitions may be left out (`SET resultset_metadata = NONE`).
    pub const OPTIONAL_RESULTSET_METADATA: Self = Self(1 << 25);
    /// The compressed protocol, by Zstandard.
    pub const ZSTD_COMPRESSION: Self = Self(1 << 26);
    /// Statements carry attributes.
    pub const QUERY_ATTRIBUTES: Self = Self(1 << 27);
    /// Several factors of authentication.
    pub const MULTI_FACTOR_AUTHENTICATION: Self = Self(1 << 28);
    /// MariaDB: reports of progress.
    pub const MARIADB_PROGRESS: Self = Self(1 << 32);
    /// MariaDB: several commands in one packet.
    pub const MARIADB_COM_MULTI: Self = Self(1 << 33);
    /// MariaDB: many rows of parameters in one packet.
    pub const MARIADB_STMT_BULK_OPERATIONS: Self = Self(1 << 34);
    /// MariaDB: definitions of columns say more of the type.
    pub const MARIADB_EXTENDED_TYPE_INFO: Self = Self(1 << 35);
    /// MariaDB: definitions that the client has are not sent again.
    pub const MARIADB_CACHE_METADATA: Self = Self(1 << 36);
    /// MariaDB: many rows of parameters may be answered by a result with the number and the count of each row.
    pub const MARIADB_BULK_UNIT_RESULTS: Self = Self(1 << 37);

    /// The compressed protocol, by whatever it is.
    pub const COMPRESSION: Self = Self::COMPRESS.with(Self::ZSTD_COMPRESSION);

    /// MySQL's bits.
    pub const BASE: Self = Self(0xffff_ffff);

    /// Whether all of `other` are here.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but not those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// MySQL's 32 bits.
    pub fn base(self) -> u32 {
        let [a, b, c, d, ..] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// MariaDB's 32 bits.
    pub fn extended(self) -> u32 {
        let [.., a, b, c, d] = self.0.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// Of both halves.
    pub fn new(base: u32, extended: u32) -> Self {
        Self(u64::from(base) | u64::from(extended) << 32)
    }
}

#[cfg(test)]
mod tests {
    use super::Capabilities;

    #[test]
    fn halves_are_put_together_and_taken_apart() {
        let both = Capabilities::new(0x8000_0001, 0x10);
        assert_eq!((both.base(), both.extended()), (0x8000_0001, 0x10));
        assert!(both.has(Capabilities::MARIADB_CACHE_METADATA));
        assert!(both.has(Capabilities::LONG_PASSWORD) && !both.has(Capabilities::SSL));
        assert_eq!(both.and(Capabilities::BASE).extended(), 0);
    }
}
