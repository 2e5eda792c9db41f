//! One column item: judged in the order, and with the texts, of policy.md 1.6 and 1.7.

use super::base64;
use super::error::{ConfigError, Warning};
use super::kinds::{DataType, Database, Envelope, ResponseOnFail, Side, TokenType};
use super::raw::{RawColumn, RawDefaults};
use crate::types;

/// What is done with the values of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The table's name, as the configuration has it.
    pub table: String,
    /// The column's name.
    pub column: String,
    /// Whose keys protect the column; without one, those of the connection's client.
    pub client_id: Option<String>,
    /// The kind of container written. Tokenized columns have AcraBlock whatever they ask for.
    pub envelope: Envelope,
    /// Whether AcraStructs that the application writes become AcraBlocks.
    pub reencrypt: bool,
    /// What happens to a value.
    pub transform: Transform,
    /// The column of the same table that the database keeps the search hash of this one in, if it does: comparisons are made by it.
    pub search_column: Option<String>,
    /// The type the application sees: asked for, or that of the tokens.
    pub data_type: Option<DataType>,
    /// What the application gets for a value that cannot be opened.
    pub response_on_fail: ResponseOnFail,
    /// The value for [`ResponseOnFail::DefaultValue`]; valid for the data type.
    pub default_value: Option<String>,
    /// Whether a value that is no container counts as one that cannot be opened, in a column of text or bytes.
    pub plaintext_fails: bool,
}

/// The kinds of protection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transform {
    /// Encrypted and nothing else.
    Plain,
    /// Encrypted, with a hash in front that equality can be searched by.
    Searchable {
        /// The number of characters that prefixes can be searched by.
        prefix: Option<u32>,
    },
    /// Encrypted but for one end, and shown as a pattern to those who cannot open it.
    Masked {
        /// What stands for the encrypted part.
        pattern: String,
        /// How much of the value stays readable.
        plaintext_length: usize,
        /// Which end that is.
        side: Side,
    },
    /// Replaced by a token.
    Tokenized {
        /// What the token looks like.
        token_type: TokenType,
        /// Whether equal values have equal tokens.
        consistent: bool,
    },
}

/// What equal values of a column have in common, by which they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The hash in front of the container.
    Hash,
    /// The token.
    Token,
}

impl Setting {
    /// What equal values of this column have in common, if anything.
    pub fn likeness(&self) -> Option<Likeness> {
        match self.transform {
            Transform::Searchable { .. } => Some(Likeness::Hash),
            Transform::Tokenized {
                consistent: true, ..
            } => Some(Likeness::Token),
            Transform::Plain | Transform::Masked { .. } | Transform::Tokenized { .. } => None,
        }
    }

    /// The number of characters that prefixes can be searched by, if they can.
    pub fn prefix(&self) -> Option<u32> {
        match self.transform {
            Transform::Searchable { prefix } => prefix,
            _ => None,
        }
    }

    /// Whether equal values of both columns have that in common.
    pub fn is_like(&self, other: &Self) -> bool {
        let token = |setting: &Self| match setting.transform {
            Transform::Tokenized { token_type, .. } => Some(token_type),
            _ => None,
        };
        self.likeness().is_some()
            && self.likeness() == other.likeness()
            && self.client_id == other.client_id
            && token(self) == token(other)
    }

    /// Whether a stored value of this column can be copied into that one: both are sealed and opened in the same way.
    pub fn protects_like(&self, other: &Self) -> bool {
        let Self {
            table: _,
            column: _,
            client_id,
            envelope,
            reencrypt,
            transform,
            // The database makes it of what is stored.
            search_column: _,
            data_type,
            response_on_fail,
            default_value,
            plaintext_fails,
        } = self;
        *client_id == other.client_id
            && *envelope == other.envelope
            && *reencrypt == other.reencrypt
            && *transform == other.transform
            && *data_type == other.data_type
            && *response_on_fail == other.response_on_fail
            && *default_value == other.default_value
            && *plaintext_fails == other.plaintext_fails
    }

    /// The type that a client sees; nothing if it sees what the database has. The column of a token has that type itself.
    pub fn shown_type(&self) -> Option<types::Type> {
        match self.transform {
            Transform::Tokenized { .. } => None,
            _ => self.data_type.map(DataType::in_postgres),
        }
    }

    /// Whether its values are converted to a type, answered for if they cannot be opened, or masked.
    pub fn is_converted(&self) -> bool {
        !matches!(self.transform, Transform::Tokenized { .. }) && self.needs_mapping()
    }

    /// The text of the default value, or its bytes where the type is bytes.
    pub fn default_bytes(&self) -> Option<Vec<u8>> {
        let value = self.default_value.as_ref()?.as_bytes();
        match self.data_type {
            Some(DataType::Bytes) => base64::decode(value).ok(),
            _ => Some(value.to_vec()),
        }
    }

    /// What stands for the encrypted part of a masked value where that cannot be opened.
    pub fn pattern(&self) -> Option<&[u8]> {
        match &self.transform {
            Transform::Masked { pattern, .. } => Some(pattern.as_bytes()),
            _ => None,
        }
    }

    /// What its tokens look like and whether equal values have equal ones, if it has tokens.
    pub fn tokenized(&self) -> Option<(TokenType, bool)> {
        match self.transform {
            Transform::Tokenized {
                token_type,
                consistent,
            } => Some((token_type, consistent)),
            _ => None,
        }
    }

    /// Whether its values are read in another way than containers anywhere, so that it must be known which result columns
    /// are of it.
    pub fn needs_mapping(&self) -> bool {
        matches!(
            self.transform,
            Transform::Masked { .. } | Transform::Tokenized { .. }
        ) || self.data_type.is_some()
            || self.response_on_fail != ResponseOnFail::Ciphertext
    }

    /// Whether stored values of this column and of that one are read in the same way.
    pub fn reads_like(&self, other: &Self) -> bool {
        let is_equal = || {
            let same_transform = match (&self.transform, &other.transform) {
                (Transform::Masked { .. } | Transform::Tokenized { .. }, _)
                | (_, Transform::Masked { .. } | Transform::Tokenized { .. }) => {
                    self.transform == other.transform
                }
                _ => true,
            };
            same_transform
                && self.data_type == other.data_type
                && self.response_on_fail == other.response_on_fail
                && self.default_value == other.default_value
                && self.plaintext_fails == other.plaintext_fails
        };
        !self.needs_mapping() && !other.needs_mapping() || is_equal()
    }

    /// Judges an item and applies the defaults; the first check that fails decides.
    pub(super) fn judge(
        raw: RawColumn,
        table: &str,
        defaults: &RawDefaults,
        database: Database,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ConfigError> {
        let (line, column) = (raw.line, raw.column.clone());
        Judge {
            raw,
            table,
            defaults,
            database,
        }
        .judge(warnings)
        .map_err(|message| ConfigError::new(message, line).of_column(table, &column))
    }
}

/// The text in front of the reasons why settings do not go together.
const INVALID: &str = "invalid encryptor config";

/// A column item while it is judged.
struct Judge<'a> {
    raw: RawColumn,
    table: &'a str,
    defaults: &'a RawDefaults,
    database: Database,
}

/// The type of a column and how it is known.
struct Type {
    data_type: Option<DataType>,
    /// A key of its own gives it; the one that tokens imply does not count.
    given: bool,
}

/// What happens to values that cannot be opened, and how that is known.
struct OnFail {
    response: ResponseOnFail,
    /// A key of its own says so.
    given: bool,
}

impl Judge<'_> {
    fn judge(mut self, warnings: &mut Vec<Warning>) -> Result<Setting, String> {
        if self.raw.column.is_empty() {
            return Err(self.invalid("`column` is missing or empty"));
        }
        let envelope = envelope(
            self.raw
                .crypto_envelope
                .as_deref()
                .or(self.defaults.crypto_envelope.as_deref()),
        )?;
        let reencrypt = self
            .raw
            .reencrypt
            .or(self.defaults.reencrypt)
            .unwrap_or(true);
        let token_type = self.token_type(warnings)?;
        let on_fail = self.on_fail()?;
        let typed = self.data_type(token_type)?;
        self.check_default(&typed, &on_fail)?;
        let masking = self.masking(&typed)?;
        self.check_combination(token_type.is_some(), masking.is_some(), &typed, &on_fail)?;

        let prefix = self
            .raw
            .searchable_prefix
            .and_then(|prefix| u32::try_from(prefix).ok());
        let (transform, envelope) = match (token_type, masking) {
            (Some(token_type), _) => {
                let consistent = self.raw.consistent.unwrap_or(self.defaults.consistent);
                (
                    Transform::Tokenized {
                        token_type,
                        consistent,
                    },
                    Envelope::AcraBlock,
                )
            }
            (None, Some(masked)) => (masked, envelope),
            (None, None) if self.raw.searchable => (Transform::Searchable { prefix }, envelope),
            (None, None) => (Transform::Plain, envelope),
        };
        Ok(Setting {
            table: self.table.to_owned(),
            column: std::mem::take(&mut self.raw.column),
            client_id: Some(std::mem::take(&mut self.raw.client_id)).filter(|id| !id.is_empty()),
            envelope,
            reencrypt,
            transform,
            search_column: self.raw.search_column.take(),
            data_type: typed.data_type,
            response_on_fail: on_fail.response,
            default_value: self.raw.default_data_value.take(),
            plaintext_fails: self.raw.plaintext_fails,
        })
    }

    /// Steps 3 and 4.
    fn token_type(&self, warnings: &mut Vec<Warning>) -> Result<Option<TokenType>, String> {
        let word = self.raw.token_type.as_str();
        match (self.raw.tokenized, word.is_empty()) {
            (Some(true), true) => {
                return Err("`tokenized` is provided without `token_type`".to_owned());
            }
            (Some(false), false) => {
                return Err("`tokenized` is disabled, but `token_type` is provided".to_owned());
            }
            (Some(_), _) => {
                let message =
                    "Setting `tokenized` flag is not necessary anymore and will be ignored";
                warnings.push(Warning::new(message, self.raw.line));
            }
            (None, _) => {}
        }
        if word.is_empty() {
            return Ok(None);
        }
        TokenType::parse(word)
            .map(Some)
            .ok_or_else(|| unknown_type(word))
    }

    /// Steps 5 and 6.
    fn on_fail(&self) -> Result<OnFail, String> {
        match self.raw.response_on_fail.as_str() {
            "" => {
                let default = self.raw.default_data_value.is_some();
                let response = if default {
                    ResponseOnFail::DefaultValue
                } else {
                    ResponseOnFail::Ciphertext
                };
                Ok(OnFail {
                    response,
                    given: false,
                })
            }
            word => match ResponseOnFail::parse(word) {
                Some(response) => Ok(OnFail {
                    response,
                    given: true,
                }),
                None => Err(format!("unknown response_on_fail value: '{word}'")),
            },
        }
    }

    /// Steps 7 to 9.
    fn data_type(&self, token_type: Option<TokenType>) -> Result<Type, String> {
        let (word, identifier) = (
            self.raw.data_type.as_str(),
            self.raw.data_type_db_identifier,
        );
        let implied = token_type.map(TokenType::data_type);
        if identifier != 0 && (!word.is_empty() || implied.is_some()) {
            return Err(
                "data_type can`t be used along with data_type_db_identifier option".to_owned(),
            );
        }
        if identifier != 0 {
            return match DataType::of_identifier(identifier, self.database) {
                Some(data_type) => Ok(Type {
                    data_type: Some(data_type),
                    given: true,
                }),
                None => Err("unsupported data_type_db_identifier option".to_owned()),
            };
        }
        match word {
            "" => Ok(Type {
                data_type: implied,
                given: false,
            }),
            // Accepted by the reference: a type that is given and is none.
            "Unknown" => Ok(Type {
                data_type: None,
                given: true,
            }),
            word => match DataType::parse(word) {
                Some(data_type) => Ok(Type {
                    data_type: Some(data_type),
                    given: true,
                }),
                None => Err(unknown_type(word)),
            },
        }
    }

    /// Step 10.
    fn check_default(&self, typed: &Type, on_fail: &OnFail) -> Result<(), String> {
        let Some(value) = self.raw.default_data_value.as_deref() else {
            return Ok(());
        };
        let Some(data_type) = typed.data_type else {
            return Err("default_data_value used without data_type_id".to_owned());
        };
        if on_fail.response != ResponseOnFail::DefaultValue {
            let response = on_fail.response.word();
            return Err(format!(
                "default data value is defined, but `response_on_fail` operation is not \"default\" ({response})"
            ));
        }
        data_type
            .check_default(value)
            .map_err(|reason| format!("invalid default value: {reason}"))
    }

    /// Step 12. `plaintext_length` alone asks for nothing, as in the reference.
    fn masking(&mut self, typed: &Type) -> Result<Option<Transform>, String> {
        let raw = &mut self.raw;
        if raw.masking.is_empty() && raw.plaintext_side.is_empty() {
            return Ok(None);
        }
        if raw.masking.is_empty() {
            return Err("masking pattern can't be empty".to_owned());
        }
        if raw.plaintext_length < 0 {
            return Err("plaintext length cannot be negative".to_owned());
        }
        let Some(side) = Side::parse(&raw.plaintext_side) else {
            return Err("plaintext side must be left of right".to_owned());
        };
        if typed.data_type.is_some_and(|kind| !kind.can_be_masked()) {
            return Err("masking configuration error: data type not supported".to_owned());
        }
        // A length that does not fit is longer than any value.
        let plaintext_length = usize::try_from(raw.plaintext_length).unwrap_or(usize::MAX);
        Ok(Some(Transform::Masked {
            pattern: std::mem::take(&mut raw.masking),
            plaintext_length,
            side,
        }))
    }

    /// Step 13: the table of 1.7, without the rejections that policy.md 9 item 6 calls arbitrary.
    ///
    /// Against the reference these are accepted too: `reencrypting_to_acrablocks: false` with anything, a default value
    /// of a searchable column without `response_on_fail`, responses of masked columns (values without container have
    /// no other), masking of typed AcraStructs, and responses without a data type.
    fn check_combination(
        &self,
        tokenized: bool,
        masked: bool,
        typed: &Type,
        on_fail: &OnFail,
    ) -> Result<(), String> {
        let searchable = self.raw.searchable;
        let default = self.raw.default_data_value.is_some();
        if [tokenized, masked, searchable]
            .into_iter()
            .filter(|on| *on)
            .count()
            > 1
        {
            return Err(self.invalid(
                "only one of `searchable`, `masking` and `token_type` can be used in a column",
            ));
        }
        match self.raw.searchable_prefix {
            Some(_) if !searchable => {
                return Err(self.invalid("`searchable_prefix` needs `searchable: true`"));
            }
            Some(prefix) if prefix < 1 || u32::try_from(prefix).is_err() => {
                return Err(
                    self.invalid("`searchable_prefix` must be a positive number of characters")
                );
            }
            _ => {}
        }
        match self.raw.search_column.as_deref() {
            Some(_) if !searchable => {
                return Err(self.invalid("`search_column` needs `searchable: true`"));
            }
            Some("") => return Err(self.invalid("`search_column` is empty")),
            _ => {}
        }
        if tokenized {
            // The token decides the type, and a token always has an answer.
            for (given, key) in [
                (typed.given, "a data type"),
                (on_fail.given, "`response_on_fail`"),
                (default, "`default_data_value`"),
            ] {
                if given {
                    return Err(self.invalid(&format!("{key} cannot be used with `token_type`")));
                }
            }
        }
        let nothing_to_answer = on_fail.response == ResponseOnFail::DefaultValue && !default;
        // The reference takes this for searchable and for typed columns.
        if nothing_to_answer && !typed.given && !searchable {
            return Err(self.invalid(
                "`response_on_fail: default_value` needs `default_data_value` and a data type",
            ));
        }
        Ok(())
    }

    fn invalid(&self, reason: &str) -> String {
        invalid(self.table, &self.raw.column, reason)
    }
}

/// Why settings of a column do not go together.
pub(super) fn invalid(table: &str, column: &str, reason: &str) -> String {
    format!("{INVALID}: table \"{table}\", column \"{column}\": {reason}")
}

/// Step 2; also for the document's default.
pub(super) fn envelope(word: Option<&str>) -> Result<Envelope, String> {
    match word {
        None => Ok(Envelope::AcraBlock),
        Some(word) => Envelope::parse(word).ok_or_else(|| "invalid CryptoEnvelopeType".to_owned()),
    }
}

fn unknown_type(word: &str) -> String {
    format!("{word}: unknown token type")
}
