//! stub
use crate::columns::Setting;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
#[derive(Debug, Clone, Default)]
pub struct Lexical {
    pub standard_conforming_strings: bool,
    pub encoding: ClientEncoding,
}
#[derive(Debug, Clone, Default)]
pub enum ClientEncoding {
    #[default]
    Utf8,
}
impl ClientEncoding {
    pub fn of_name(_: &[u8]) -> Self {
        Self::Utf8
    }
    pub fn keeps_bytes(&self) -> bool {
        true
    }
}
#[derive(Debug)]
pub struct Planner;
impl Planner {
    pub fn plan(&self, _: &[u8], _: &Lexical, _: &mut Scratch) -> Arc<Plan> {
        Arc::new(Plan::forward())
    }
}
#[derive(Debug, Default)]
pub struct Scratch;
impl Scratch {
    pub fn ambiguous_strings(&self) -> bool {
        false
    }
}
#[derive(Debug)]
pub enum Verdict {
    Forward,
    Rewrite,
    Refuse(Refusal),
    Observe(Refusal),
}
#[derive(Debug)]
pub struct ParamAction {
    pub number: u16,
    pub setting: Arc<Setting>,
}
#[derive(Debug)]
pub enum NameEffect {
    Prepare(Box<[u8]>),
    Deallocate(Box<[u8]>),
    DeallocateAll,
    DiscardAll,
}
#[derive(Debug)]
pub struct Plan {
    pub verdict: Verdict,
    pub params: Vec<ParamAction>,
    pub names: Vec<NameEffect>,
    pub executes: Vec<Box<[u8]>>,
    pub may_change_settings: bool,
    pub protected: bool,
}
impl Plan {
    pub fn forward() -> Self {
        Self {
            verdict: Verdict::Forward,
            params: vec![],
            names: vec![],
            executes: vec![],
            may_change_settings: false,
            protected: false,
        }
    }
    pub fn literals<'a>(
        &'a self,
        _: &'a [u8],
        _: &'a Scratch,
    ) -> impl Iterator<Item = Result<LiteralValue<'a>, Refusal>> {
        std::iter::empty()
    }
}
pub struct LiteralValue<'a> {
    pub span: Range<usize>,
    pub value: Cow<'a, [u8]>,
    pub kind: LiteralKind,
    pub setting: &'a Arc<Setting>,
}
pub enum LiteralKind {
    String,
    Number,
}
#[derive(Debug)]
pub struct RefusalCode;
impl RefusalCode {
    pub fn anchor(&self) -> &'static str {
        ""
    }
}
#[derive(Debug)]
pub struct Refusal {
    pub code: RefusalCode,
    pub message: String,
    pub detail: Option<String>,
    pub hint: String,
    pub sqlstate: &'static str,
}
pub struct Edit {
    pub span: Range<usize>,
    pub text: Vec<u8>,
}
pub fn splice(_: &[u8], _: &[Edit], _: &mut Vec<u8>) {}
