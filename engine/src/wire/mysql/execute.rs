//! `COM_STMT_EXECUTE` and the parameters that it and `COM_QUERY` carry; `COM_STMT_SEND_LONG_DATA`.
//!
//! After the command's byte: statement 4, flags 1, a 1 in 4 bytes. If the statement has parameters, or the client says by a
//! flag that it counts them (query attributes): their number, length-encoded, if attributes are agreed on, with the flag or
//! without; a NULL bitmap; whether types follow; for each a type of 2 bytes, and its name if attributes are agreed on; the values
//! that are not NULL.

use super::value::{self, Type};
use super::{Capabilities, lenenc};
use crate::wire::cursor::{Malformed, Reader};
use std::borrow::Cow;

/// Of the second byte of a type: the integer is unsigned.
pub(super) const UNSIGNED: u8 = 0x80;
/// Flag: the number of parameters is there, even if the statement has none.
const COUNT_AVAILABLE: u8 = 0x08;
/// Flags: the rows stay with the server, to be fetched.
const CURSOR: u8 = 0x07;

/// Length of what every execution begins with: the command's byte, statement, flags, the number of executions.
const HEAD: usize = 1 + 4 + 1 + 4;

/// The number by which MariaDB's clients mean the statement that was prepared last.
pub const LAST_PREPARED: u32 = u32::MAX;

/// A parameter's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterType<'a> {
    /// Its type.
    pub kind: Type,
    /// An integer without sign.
    pub is_unsigned: bool,
    /// Its name, if it is an attribute.
    pub name: &'a [u8],
}

/// Types of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Types<'a> {
    /// Those of the last execution; there may be no parameters at all.
    AsBefore,
    /// These.
    New(Vec<ParameterType<'a>>),
}

/// Parameters of a statement or a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters<'a> {
    /// How many there are.
    pub count: usize,
    /// A bit for each: it is NULL.
    pub nulls: &'a [u8],
    /// Their types.
    pub types: Types<'a>,
    /// The values, and what follows them.
    rest: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Reads from the NULL bitmap to the end of the types.
    pub(super) fn read(
        reader: &mut Reader<'a>,
        count: usize,
        named: bool,
    ) -> Result<Self, Malformed> {
        if count == 0 {
            return Ok(Self {
                count,
                nulls: b"",
                types: Types::AsBefore,
                rest: reader.clone().rest(),
            });
        }
        let nulls = reader.bytes(count.div_ceil(8), "NULL bitmap")?;
        let types = match reader.u8("whether types follow")? {
            1 => {
                let mut types = Vec::new();
                for _ in 0..count {
                    types.push(parameter_type(reader, named)?);
                }
                Types::New(types)
            }
            _ => Types::AsBefore,
        };
        Ok(Self {
            count,
            nulls,
            types,
            rest: reader.clone().rest(),
        })
    }

    /// The values by these types; `None` is NULL. A parameter that was sent in parts before has no value here: say so by
    /// the type NULL.
    pub fn values(
        &self,
        types: &[ParameterType<'_>],
    ) -> impl Iterator<Item = Result<Option<&'a [u8]>, Malformed>> {
        let mut reader = Reader::new(self.rest);
        types.iter().enumerate().map(
            move |(index, kind)| match value::is_null(self.nulls, index) {
                true => Ok(None),
                false => value::binary(&mut reader, kind.kind).map(Some),
            },
        )
    }

    /// Moves a reader that stands in front of the values behind them.
    pub(super) fn skip(
        &self,
        types: &[ParameterType<'_>],
        reader: &mut Reader<'a>,
    ) -> Result<(), Malformed> {
        for (index, kind) in types.iter().enumerate() {
            if !value::is_null(self.nulls, index) {
                value::binary(reader, kind.kind)?;
            }
        }
        Ok(())
    }
}

pub(super) fn parameter_type<'a>(
    reader: &mut Reader<'a>,
    named: bool,
) -> Result<ParameterType<'a>, Malformed> {
    let kind = Type(reader.u8("type of a parameter")?);
    let flags = reader.u8("type of a parameter")?;
    let name = match named {
        true => lenenc::string(reader, "name of a parameter")?,
        false => b"",
    };
    Ok(ParameterType {
        kind,
        is_unsigned: flags & UNSIGNED != 0,
        name,
    })
}

/// What every form of execution begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The statement's number, or [`LAST_PREPARED`].
    pub statement: u32,
    /// Flags.
    flags: u8,
}

impl Head {
    /// Reads the start of a payload.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be.
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.u8("COM_STMT_EXECUTE")?;
        Ok(Self {
            statement: reader.u32_le("statement number")?,
            flags: reader.u8("flags of an execution")?,
        })
    }

    /// Whether the rows stay with the server.
    pub fn opens_cursor(self) -> bool {
        self.flags & CURSOR != 0
    }
}

/// The parameters of an execution of a statement that has this many.
///
/// # Errors
///
/// It is shorter than it should be.
pub fn parameters(
    payload: &[u8],
    count: usize,
    capabilities: Capabilities,
) -> Result<Parameters<'_>, Malformed> {
    let head = Head::read(payload)?;
    let mut reader = Reader::new(payload);
    reader.bytes(HEAD, "start of COM_STMT_EXECUTE")?;
    let named = capabilities.has(Capabilities::QUERY_ATTRIBUTES);
    let counted = named && (count > 0 || head.flags & COUNT_AVAILABLE != 0);
    let count = match counted {
        true => {
            let count = lenenc::integer(&mut reader, "number of parameters")?;
            usize::try_from(count).map_err(|_| Malformed("number of parameters"))?
        }
        false => count,
    };
    Parameters::read(&mut reader, count, named)
}

/// A parameter of an execution that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'a> {
    /// Its type.
    pub kind: ParameterType<'a>,
    /// Its value.
    pub value: WrittenValue<'a>,
}

/// The value of such a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenValue<'a> {
    /// NULL.
    Null,
    /// It was sent in parts.
    InParts,
    /// This value.
    Value(Cow<'a, [u8]>),
}

/// Appends the execution that begins as this payload does, with these parameters, of which there are some, and their types.
pub fn write(
    payload: &[u8],
    parameters: &[Written<'_>],
    capabilities: Capabilities,
    out: &mut Vec<u8>,
) {
    let head = payload.get(..HEAD).unwrap_or(payload);
    out.extend_from_slice(head);
    let named = capabilities.has(Capabilities::QUERY_ATTRIBUTES);
    if named {
        lenenc::write_integer(out, parameters.len() as u64);
    }
    let mut nulls = vec![0_u8; parameters.len().div_ceil(8)];
    for (index, parameter) in parameters.iter().enumerate() {
        if parameter.value == WrittenValue::Null
            && let Some(byte) = nulls.get_mut(index / 8)
        {
            *byte |= 1 << (index % 8);
        }
    }
    out.extend_from_slice(&nulls);
    out.push(1);
    for Written { kind, .. } in parameters {
        let sign = if kind.is_unsigned { UNSIGNED } else { 0 };
        out.extend_from_slice(&[kind.kind.0, sign]);
        if named {
            lenenc::write_string(out, kind.name);
        }
    }
    for Written { kind, value } in parameters {
        if let WrittenValue::Value(value) = value {
            value::write_binary(out, kind.kind, value);
        }
    }
}

/// A part of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongData<'a> {
    /// The statement's number.
    pub statement: u32,
    /// The parameter's, from 0.
    pub parameter: u16,
    /// The part.
    pub data: &'a [u8],
}

impl<'a> LongData<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It is shorter than it should be.
    pub fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.u8("COM_STMT_SEND_LONG_DATA")?;
        Ok(Self {
            statement: reader.u32_le("statement number")?,
            parameter: reader.u16_le("number of a parameter")?,
            data: reader.rest(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn execution(values: &[Option<Vec<u8>>], counted: bool, named: bool) -> Vec<u8> {
        let flags = if counted { COUNT_AVAILABLE } else { 0 };
        let mut out = vec![0x17, 7, 0, 0, 0, flags, 1, 0, 0, 0];
        if named {
            lenenc::write_integer(&mut out, values.len() as u64);
        }
        if values.is_empty() {
            return out;
        }
        let mut nulls = vec![0; values.len().div_ceil(8)];
        for (index, value) in values.iter().enumerate() {
            nulls[index / 8] |= u8::from(value.is_none()) << (index % 8);
        }
        out.extend(nulls);
        out.push(1);
        for value in values {
            let is_number = value.as_ref().is_some_and(|value| value.len() == 4);
            out.extend_from_slice(if is_number { &[3, 0x80] } else { &[253, 0] });
            if named {
                lenenc::write_string(&mut out, b"n");
            }
        }
        for value in values.iter().flatten() {
            if value.len() != 4 {
                lenenc::write_integer(&mut out, value.len() as u64);
            }
            out.extend_from_slice(value);
        }
        out
    }

    #[test]
    fn types_of_the_last_execution() {
        let payload = [0x17, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0b10, 0, 5, 0, 0, 0];
        let head = Head::read(&payload).unwrap();
        assert!(head.opens_cursor() && head.statement == 1);
        let parameters = parameters(&payload, 2, Capabilities::default()).unwrap();
        assert_eq!(parameters.types, Types::AsBefore);
        let kind = ParameterType {
            kind: Type::LONG,
            is_unsigned: false,
            name: b"",
        };
        let values: Vec<_> = parameters.values(&[kind, kind]).collect();
        assert_eq!(values, [Ok(Some(&[5, 0, 0, 0][..])), Ok(None)]);
    }

    #[test]
    fn parts_of_parameters() {
        let data = LongData::read(b"\x18\x02\0\0\0\x01\0part").unwrap();
        assert_eq!(
            (data.statement, data.parameter, data.data),
            (2, 1, &b"part"[..])
        );
        assert!(LongData::read(b"\x18\x02\0\0\0\x01").is_err());
    }

    proptest! {
        #[test]
        fn all_values_are_read(
            values in proptest::collection::vec(proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)), 0..20),
            counted in any::<bool>(),
        ) {
            let capabilities = match counted {
                true => Capabilities::QUERY_ATTRIBUTES,
                false => Capabilities::default(),
            };
            let payload = execution(&values, counted, counted);
            let count = if counted { 0 } else { values.len() };
            let read = parameters(&payload, count, capabilities).unwrap();
            prop_assert_eq!(read.count, values.len());
            let types = match &read.types {
                Types::New(types) => types.clone(),
                Types::AsBefore => Vec::new(),
            };
            let found: Result<Vec<_>, _> = read.values(&types).collect();
            let expected: Vec<_> = values.iter().map(Option::as_deref).collect();
            prop_assert_eq!(found, Ok(expected));
            for cut in 0..payload.len() {
                // Nothing that is cut off is made up.
                if let Ok(part) = parameters(&payload[..cut], count, capabilities) {
                    let found: Result<Vec<_>, _> = part.values(&types).collect();
                    prop_assert!(found.is_err() || values.is_empty() || types.is_empty() || values.iter().all(Option::is_none));
                }
            }
        }

        #[test]
        fn what_is_written_again_is_the_same(
            values in proptest::collection::vec(proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)), 1..20),
            counted in any::<bool>(),
            named in any::<bool>(),
        ) {
            let capabilities = match named {
                true => Capabilities::QUERY_ATTRIBUTES,
                false => Capabilities::default(),
            };
            let payload = execution(&values, counted, named);
            let read = parameters(&payload, values.len(), capabilities).unwrap();
            let Types::New(types) = read.types.clone() else {
                return Err(TestCaseError::fail("types"));
            };
            let written: Vec<_> = types
                .iter()
                .zip(read.values(&types))
                .map(|(kind, value)| Written {
                    kind: *kind,
                    value: match value.unwrap() {
                        None => WrittenValue::Null,
                        Some(value) => WrittenValue::Value(value.into()),
                    },
                })
                .collect();
            let mut again = Vec::new();
            write(&payload, &written, capabilities, &mut again);
            prop_assert_eq!(again, payload);
        }
    }
}
