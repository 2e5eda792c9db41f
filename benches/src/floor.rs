//! What sealing and opening cannot do without: the raw primitives on prepared parts, nothing parsed, checked or looked up.
//!
//! The Soter KDF is `HMAC-SHA256(key, 00000001 || "Themis secure cell message key" || 00 || length)`, without context.

use aes_gcm::{AeadInOut as _, Aes256Gcm, KeyInit as _};
use aws_lc_rs::agreement::{self, ECDH_P256, UnparsedPublicKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::hint::black_box;
use std::time::{Duration, Instant};
use x25519_dalek::StaticSecret;

const IV: [u8; 12] = [1; 12];

/// HMAC-SHA256 of what the Soter KDF takes.
fn derive(key: &[u8], length: usize) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(&[0, 0, 0, 1]);
    mac.update(b"Themis secure cell message key");
    mac.update(&[0]);
    mac.update(&(length as u32).to_le_bytes());
    mac.finalize().into_bytes().into()
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(key.into())
}

/// A ciphertext and its tag.
#[derive(Debug)]
struct Message(Vec<u8>, [u8; 16]);

impl Message {
    fn seal(cipher: &Aes256Gcm, plain: &[u8]) -> Self {
        let mut text = plain.to_vec();
        let tag = cipher.encrypt_inout_detached(&IV.into(), b"", (&mut text[..]).into());
        Self(text, tag.expect("not too long").into())
    }

    /// Decrypts into `to`.
    fn open(&self, cipher: &Aes256Gcm, to: &mut [u8]) {
        to.copy_from_slice(&self.0);
        cipher
            .decrypt_inout_detached(&IV.into(), b"", to.into(), &self.1.into())
            .expect("it was sealed with this key");
    }
}

/// A value under a data key, and that under a cipher which is at hand.
#[allow(missing_debug_implementations, reason = "the cipher has none")]
pub struct Block {
    wrapping: Aes256Gcm,
    key: Message,
    value: Message,
    out: Vec<u8>,
}

impl Block {
    /// A value of so many bytes.
    pub fn new(size: usize) -> Self {
        let data_key = [7; 32];
        let wrapping = cipher(&derive(&[9; 32], 32));
        Self {
            key: Message::seal(&wrapping, &data_key),
            value: Message::seal(&cipher(&derive(&data_key, size)), &vec![b'x'; size]),
            wrapping,
            out: vec![0; size],
        }
    }

    /// GCM of 32 bytes, then KDF, key schedule and GCM of the value.
    pub fn open(&mut self) -> &[u8] {
        let mut data_key = [0; 32];
        black_box(&self.key).open(&self.wrapping, &mut data_key);
        open_value(&data_key, &self.value, &mut self.out);
        &self.out
    }

    /// The same in the other direction, with 56 random bytes.
    pub fn seal(&mut self, rng: &mut dyn rand::CryptoRng) -> &[u8] {
        let mut random = [0; 56];
        rng.fill_bytes(&mut random);
        let (data_key, ivs) = random.split_first_chunk::<32>().expect("56 bytes");
        let ivs: [[u8; 12]; 2] = [&ivs[..12], &ivs[12..]].map(|iv| iv.try_into().expect("12"));
        let mut wrapped = *data_key;
        let aad = b"";
        let tag =
            self.wrapping
                .encrypt_inout_detached(&ivs[0].into(), aad, (&mut wrapped[..]).into());
        black_box((&wrapped, tag.expect("not too long")));
        self.out.fill(b'x');
        let length = self.out.len();
        let tag = cipher(&derive(data_key, length)).encrypt_inout_detached(
            &ivs[1].into(),
            aad,
            (&mut self.out[..]).into(),
        );
        black_box(tag.expect("not too long"));
        &self.out
    }
}

fn open_value(data_key: &[u8; 32], value: &Message, out: &mut [u8]) {
    let cipher = cipher(&derive(data_key, out.len()));
    black_box(value).open(&cipher, out);
}

/// A value under a data key, and that under what two keys agree on.
#[derive(Debug)]
pub struct Struct<A> {
    agree: A,
    key: Message,
    value: Message,
    out: Vec<u8>,
}

impl<A: Fn() -> [u8; 32]> Struct<A> {
    fn new(size: usize, agree: A) -> Self {
        let data_key = [7; 32];
        Self {
            key: Message::seal(&cipher(&agree()), &data_key),
            value: Message::seal(&cipher(&derive(&data_key, size)), &vec![b'x'; size]),
            agree,
            out: vec![0; size],
        }
    }

    /// Agreement and derivation, key schedule, GCM of 32 bytes, then KDF, key schedule and GCM of the value.
    pub fn open(&mut self) -> &[u8] {
        let mut data_key = [0; 32];
        black_box(&self.key).open(&cipher(&(self.agree)()), &mut data_key);
        open_value(&data_key, &self.value, &mut self.out);
        &self.out
    }
}

/// ECDH with a compressed point, and the Soter KDF.
pub fn p256(size: usize) -> Struct<impl Fn() -> [u8; 32]> {
    let own = agreement::PrivateKey::generate(&ECDH_P256).expect("random numbers are random");
    let peer = agreement::PrivateKey::generate(&ECDH_P256).expect("random numbers are random");
    let point = peer.compute_public_key().expect("it has one");
    let mut compressed = [0; 33];
    compressed.copy_from_slice(&point.as_ref()[..33]);
    compressed[0] = 2 | (point.as_ref()[64] & 1);
    Struct::new(size, move || {
        let peer = UnparsedPublicKey::new(&ECDH_P256, black_box(&compressed));
        agreement::agree(&own, peer, (), |secret| Ok(derive(secret, 32))).expect("they agree")
    })
}

/// X25519, and HKDF over the secret and both public keys.
pub fn x25519(size: usize) -> Struct<impl Fn() -> [u8; 32]> {
    let own = StaticSecret::from([3; 32]);
    let public = x25519_dalek::PublicKey::from(&own);
    let peer = x25519_dalek::PublicKey::from(&StaticSecret::from([4; 32]));
    Struct::new(size, move || {
        let secret = own.diffie_hellman(black_box(&peer));
        let info = [
            b"acra-rs AcraStruct X25519 v1",
            &peer.as_bytes()[..],
            public.as_bytes(),
        ];
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(Some(&[5; 16]), secret.as_bytes())
            .expand_multi_info(&info, &mut key)
            .expect("32 bytes");
        key
    })
}

/// Shortest times in which an AcraBlock of a value of `size` bytes can be sealed and opened here.
pub fn of_blocks(size: usize) -> (Duration, Duration) {
    let mut block = Block::new(size);
    let mut rng = rand::rng();
    let seal = shortest(|| {
        black_box(block.seal(&mut rng));
    });
    let mut block = Block::new(size);
    let open = shortest(|| {
        black_box(block.open());
    });
    (seal, open)
}

/// The shortest of many runs, so that what disturbs the machine does not count.
fn shortest(mut run: impl FnMut()) -> Duration {
    const RUNS: u32 = 1000;
    let batch = |_| {
        let begin = Instant::now();
        for _ in 0..RUNS {
            run();
        }
        begin.elapsed() / RUNS
    };
    (0..50).map(batch).min().unwrap_or_default()
}
