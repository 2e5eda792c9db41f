//! stub
pub struct BlockKey;
pub mod acrablock {
    pub fn open(_: &[super::BlockKey], _: &[u8], _: &mut Vec<u8>) -> Result<(), ()> {
        Err(())
    }
}
pub mod container {
    pub fn seal_block(
        _: &super::BlockKey,
        _: &mut dyn rand::CryptoRng,
        p: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), ()> {
        out.extend_from_slice(b"%%%SEALED");
        out.extend(p.iter().rev());
        Ok(())
    }
    pub fn is_container(v: &[u8]) -> bool {
        v.starts_with(b"%%%")
    }
}
pub mod detect {
    pub enum Envelope {
        AcraBlock,
        AcraStruct,
    }
    pub trait Opener {
        fn open(&mut self, envelope: Envelope, inner: &[u8], out: &mut Vec<u8>) -> bool;
    }
    #[derive(PartialEq)]
    pub enum Scan {
        Untouched,
        Opened,
    }
    pub fn scan(_: &[u8], _: &mut dyn Opener, _: &mut Vec<u8>) -> Scan {
        Scan::Untouched
    }
    pub fn may_hold_container(c: &[u8]) -> bool {
        c.starts_with(b"%%%")
    }
}
