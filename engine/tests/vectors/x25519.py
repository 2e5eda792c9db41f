"""Writes x25519.json: key containers and AcraStructs of X25519 key pairs, made with pyca/cryptography from
docs/containers.md alone. Run it beside this file; the same bytes come out every time."""

import hashlib
import hmac
import json
import struct
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def fixed(label, length):
    """Bytes that look random and are the same every time."""
    return hashlib.shake_256(label.encode()).digest(length)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def container(tag, key, version=1):
    head, data = tag + struct.pack(">I", 45), bytes([version]) + key
    return head + struct.pack("<I", crc32c(head + bytes(4) + data)) + data


def public(key):
    return key.public_key().public_bytes_raw()


def gcm(key, iv, data, additional):
    """Tag and ciphertext."""
    sealed = AESGCM(key).encrypt(iv, data, additional)
    return sealed[-16:] + sealed[:-16]


def secure_cell(key, context, iv, data):
    length = struct.pack("<I", len(data))
    label = b"\0\0\0\1Themis secure cell message key\0"
    derived = hmac.new(key, label + length + context, "sha256").digest()
    return struct.pack("<III", 0x40010100, 12, 16) + length + iv + gcm(derived, iv, data, context)


def message(name, sender, recipient, data_key):
    header, salt, iv = b"X25\x01" + struct.pack("<I", 84), fixed(name + " salt", 16), fixed(name + " iv", 12)
    info = b"acra-rs AcraStruct X25519 v1" + public(sender) + recipient
    shared = sender.exchange(X25519PublicKey.from_public_bytes(recipient))
    derived = HKDF(SHA256(), 32, salt, info).derive(shared)
    return header + salt + iv + gcm(derived, iv, data_key, header)


def acra_struct(name, recipient, context, plain):
    throwaway = X25519PrivateKey.from_private_bytes(fixed(name + " throwaway", 32))
    data_key = fixed(name + " data key", 32)
    body = secure_cell(data_key, context, fixed(name + " body iv", 12), plain)
    head = b'"' * 8 + container(b"UX25", public(throwaway)) + message(name, throwaway, recipient, data_key)
    return head + struct.pack("<Q", len(body)) + body


private = [X25519PrivateKey.from_private_bytes(fixed(f"recipient {number}", 32)) for number in range(2)]
private_containers = [container(b"RX25", key.private_bytes_raw()).hex() for key in private]
structs = []
for name, owner, context, plain in [
    ("one byte", 0, b"", b"x"),
    ("text", 1, b"", "naïve text".encode()),
    ("context", 0, b"zone id", b"with a context"),
    ("long", 1, b"", fixed("long", 1000)),
]:
    sealed = acra_struct(name, public(private[owner]), context, plain)
    structs.append({"name": name, "owner": owner, "context": context.hex(), "plain": plain.hex(), "sealed": sealed.hex()})

key = private[0].private_bytes_raw()
good = container(b"RX25", key)
refused = {
    "tag of P-256": container(b"REC2", key),
    "another version": container(b"RX25", key, 2),
    "public for private": container(b"UX25", key),
    "check sum": good[:-1] + bytes([good[-1] ^ 1]),
    "cut": good[:-1],
}
vectors = {
    "private": private_containers,
    "public": [container(b"UX25", public(key)).hex() for key in private],
    "refused_private": [{"why": why, "private": data.hex()} for why, data in refused.items()],
    "acra_structs": structs,
}
with open("x25519.json", "w", encoding="ascii") as file:
    json.dump(vectors, file, indent=1)
    file.write("\n")
