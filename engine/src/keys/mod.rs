//! stub
use crate::crypto::BlockKey;
#[derive(Debug, Clone)]
pub struct ClientId(std::sync::Arc<str>);
impl ClientId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
pub struct ClientKeys {
    pub symmetric: Vec<BlockKey>,
}
impl ClientKeys {
    pub fn current(&self) -> Option<&BlockKey> {
        self.symmetric.first()
    }
}
impl std::fmt::Debug for ClientKeys {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
