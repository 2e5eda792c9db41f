//! Messages of a client, as bytes.

/// The protocol version every server speaks.
pub const VERSION_3_0: u32 = 3 << 16;

/// The protocol version of PostgreSQL 18.
pub const VERSION_3_2: u32 = (3 << 16) | 2;

/// A message of any type and body.
pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend(untagged(body));
    bytes
}

/// A message without a type, of which only the first ones of a connection are.
pub fn untagged(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a test's message is shorter than 4 GiB");
    [&length.to_be_bytes(), body].concat()
}

fn strings(parts: &[&str]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| part.bytes().chain([0]))
        .collect()
}

fn short(number: usize) -> [u8; 2] {
    u16::try_from(number)
        .expect("a test's message has fewer than 65536 of anything")
        .to_be_bytes()
}

/// StartupMessage.
pub fn startup(version: u32, parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend(strings(&[name, value]));
    }
    body.push(0);
    untagged(&body)
}

/// SSLRequest.
pub fn tls_request() -> Vec<u8> {
    untagged(&80_877_103_u32.to_be_bytes())
}

/// GSSENCRequest.
pub fn gss_request() -> Vec<u8> {
    untagged(&80_877_104_u32.to_be_bytes())
}

/// CancelRequest, with a key of any length.
pub fn cancel_request(process: u32, key: &[u8]) -> Vec<u8> {
    let head = 80_877_102_u64 << 32 | u64::from(process);
    untagged(&[&head.to_be_bytes(), key].concat())
}

/// PasswordMessage, which the other answers to authentication requests are too.
pub fn password(body: &[u8]) -> Vec<u8> {
    message(b'p', body)
}

/// Query.
pub fn query(sql: &str) -> Vec<u8> {
    message(b'Q', &strings(&[sql]))
}

/// Parse; the types are OIDs, 0 for one the server finds itself.
pub fn parse(statement: &str, sql: &str, types: &[u32]) -> Vec<u8> {
    let mut body = strings(&[statement, sql]);
    body.extend(short(types.len()));
    body.extend(types.iter().flat_map(|oid| oid.to_be_bytes()));
    message(b'P', &body)
}

/// The binary form of an array of one dimension; `of` is the OID of its elements.
pub fn array(of: u32, elements: &[Option<&[u8]>]) -> Vec<u8> {
    let has_nulls = u32::from(elements.iter().any(Option::is_none));
    let count = u32::try_from(elements.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    for number in [1, has_nulls, of, count, 1] {
        bytes.extend(number.to_be_bytes());
    }
    for element in elements {
        let length = element.map_or(u32::MAX, |element| {
            u32::try_from(element.len()).unwrap_or(u32::MAX)
        });
        bytes.extend(length.to_be_bytes());
        bytes.extend(element.unwrap_or_default());
    }
    bytes
}

/// What a Bind message says besides its names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bind<'a> {
    /// Formats of the parameters: none for text, one for all, or one each; 0 is text and 1 binary.
    pub formats: &'a [u16],
    /// The parameters; `None` is NULL.
    pub values: &'a [Option<&'a [u8]>],
    /// Formats of the results, as those of the parameters.
    pub results: &'a [u16],
}

/// Bind.
pub fn bind(portal: &str, statement: &str, bind: Bind<'_>) -> Vec<u8> {
    let mut body = strings(&[portal, statement]);
    body.extend(short(bind.formats.len()));
    body.extend(bind.formats.iter().flat_map(|format| format.to_be_bytes()));
    body.extend(short(bind.values.len()));
    for value in bind.values {
        match value {
            Some(value) => {
                let length =
                    u32::try_from(value.len()).expect("a test's value is shorter than 4 GiB");
                body.extend(length.to_be_bytes());
                body.extend(*value);
            }
            None => body.extend((-1_i32).to_be_bytes()),
        }
    }
    body.extend(short(bind.results.len()));
    body.extend(bind.results.iter().flat_map(|format| format.to_be_bytes()));
    message(b'B', &body)
}

/// Bind of values in text, results in text.
pub fn bind_text(portal: &str, statement: &str, values: &[Option<&str>]) -> Vec<u8> {
    let values: Vec<_> = values
        .iter()
        .map(|value| value.map(str::as_bytes))
        .collect();
    let all = Bind {
        values: &values,
        ..Bind::default()
    };
    bind(portal, statement, all)
}

/// Describe of a statement.
pub fn describe_statement(name: &str) -> Vec<u8> {
    message(b'D', &strings(&[&format!("S{name}")]))
}

/// Describe of a portal.
pub fn describe_portal(name: &str) -> Vec<u8> {
    message(b'D', &strings(&[&format!("P{name}")]))
}

/// Execute; no limit is 0.
pub fn execute(portal: &str, limit: u32) -> Vec<u8> {
    let mut body = strings(&[portal]);
    body.extend(limit.to_be_bytes());
    message(b'E', &body)
}

/// Close of a statement.
pub fn close_statement(name: &str) -> Vec<u8> {
    message(b'C', &strings(&[&format!("S{name}")]))
}

/// Close of a portal.
pub fn close_portal(name: &str) -> Vec<u8> {
    message(b'C', &strings(&[&format!("P{name}")]))
}

/// Sync.
pub fn sync() -> Vec<u8> {
    message(b'S', b"")
}

/// Flush.
pub fn flush() -> Vec<u8> {
    message(b'H', b"")
}

/// Terminate.
pub fn terminate() -> Vec<u8> {
    message(b'X', b"")
}

/// CopyData.
pub fn copy_data(data: &[u8]) -> Vec<u8> {
    message(b'd', data)
}

/// CopyDone.
pub fn copy_done() -> Vec<u8> {
    message(b'c', b"")
}

/// CopyFail.
pub fn copy_fail(reason: &str) -> Vec<u8> {
    message(b'f', &strings(&[reason]))
}

/// FunctionCall with arguments and result in one format.
pub fn function_call(function: u32, format: u16, arguments: &[Option<&[u8]>]) -> Vec<u8> {
    let mut body = function.to_be_bytes().to_vec();
    body.extend([0, 1]);
    body.extend(format.to_be_bytes());
    body.extend(short(arguments.len()));
    for argument in arguments {
        match argument {
            Some(value) => {
                let length =
                    u32::try_from(value.len()).expect("a test's value is shorter than 4 GiB");
                body.extend(length.to_be_bytes());
                body.extend(*value);
            }
            None => body.extend((-1_i32).to_be_bytes()),
        }
    }
    body.extend(format.to_be_bytes());
    message(b'F', &body)
}
