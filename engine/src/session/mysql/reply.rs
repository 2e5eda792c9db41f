//! What a message of the server means: how far it brings the answer to which it belongs.

use super::columns::Columns;
use super::definitions::Mapping;
use super::ledger::{Awaited, ColumnsAhead, Entry, PrepareStep, ResultStep, Results};
use super::registry::{Registry, Statement};
use crate::plan::Plan;
use crate::session::choices::Choices;
use crate::wire::cursor::{Malformed, Reader};
use crate::wire::mysql::ok::{self, Status};
use crate::wire::mysql::prepare::Prepared;
use crate::wire::mysql::{Capabilities, Column, error, lenenc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// In the place of a number of columns: the server wants a file of the client.
const FILE_WANTED: u8 = lenenc::NULL;

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// More of it follows.
    Goes,
    /// That was all.
    Ends,
    /// The server waits for a file that the client is not told of.
    RefusesFile,
}

/// Reads what the server answers, rows apart.
pub(super) struct Reply<'a> {
    pub(super) capabilities: Capabilities,
    pub(super) registry: &'a mut Registry,
    pub(super) status: &'a mut Status,
    /// The client has sent nothing behind the command.
    pub(super) is_alone: bool,
    /// What columns are protected ones, where that matters.
    pub(super) mapping: Option<Mapping<'a>>,
    /// What the client gets in the place of the message.
    pub(super) replaced: Option<Vec<u8>>,
}

impl Reply<'_> {
    /// Takes a message that belongs to this entry.
    pub(super) fn take(&mut self, entry: &mut Entry, payload: &[u8]) -> Result<Answer, Malformed> {
        if self.capabilities.has(Capabilities::MARIADB_PROGRESS) && error::is_progress(payload) {
            return Ok(Answer::Goes);
        }
        let first = payload.first().copied();
        if first == Some(error::ERR) {
            return Ok(Answer::Ends);
        }
        match &mut entry.awaited {
            Awaited::Simple => self.single(payload).map(|()| Answer::Ends),
            Awaited::Reset => {
                self.single(payload)?;
                self.registry.clear();
                Ok(Answer::Ends)
            }
            Awaited::Line | Awaited::Binlog => Ok(Answer::Ends),
            Awaited::FieldList => match self.is_end(payload) {
                true => self.single(payload).map(|()| Answer::Ends),
                false => Column::read(payload, self.capabilities).map(|_| Answer::Goes),
            },
            Awaited::Prepare(step, plan) => self.prepared(step, plan, &entry.choices, payload),
            Awaited::Results(results) => self.result(results, entry.withheld, payload),
            Awaited::Auth(_) | Awaited::Local(_) => {
                Err(Malformed("no message that nobody has asked for"))
            }
        }
    }

    fn deprecates_eof(&self) -> bool {
        self.capabilities.has(Capabilities::DEPRECATE_EOF)
    }

    fn is_end(&self, payload: &[u8]) -> bool {
        payload
            .first()
            .is_some_and(|first| ok::is_end(*first, payload.len(), self.capabilities))
    }

    /// An OK or EOF packet.
    fn single(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        *self.status = match payload.first() {
            Some(&ok::OK) => ok::Ok::read(payload, self.capabilities)?.status,
            Some(&ok::EOF) => ok::end_status(payload, self.capabilities)?,
            _ => return Err(Malformed("OK or EOF packet")),
        };
        Ok(())
    }

    /// A result has ended.
    fn after_result(&self, results: &mut Results) -> Answer {
        results.number += 1;
        if std::mem::take(&mut results.more) || self.status.has_more_results() {
            results.step = ResultStep::Head;
            Answer::Goes
        } else {
            Answer::Ends
        }
    }

    fn result(
        &mut self,
        results: &mut Results,
        withheld: bool,
        payload: &[u8],
    ) -> Result<Answer, Malformed> {
        match &mut results.step {
            ResultStep::Head => match payload.first() {
                Some(&ok::OK) => {
                    self.single(payload)?;
                    return Ok(self.after_result(results));
                }
                Some(&FILE_WANTED) => return self.file_wanted(&mut results.step, withheld),
                _ => results.step = self.head(results.statement, payload)?,
            },
            ResultStep::File => return Err(Malformed("the end of a file first")),
            ResultStep::Definitions(left, columns) => {
                let plan = results.plan.as_deref();
                self.definition(payload, columns, plan, results.number)?;
                *left -= 1;
                if *left == 0 {
                    let columns = Arc::new(std::mem::take(columns));
                    // Definitions of the counts are sent each time, and those of the statement's own rows stay what they are.
                    let is_own = !results.counts_rows
                        || results.number == 0 && self.has_rows(results.statement);
                    if let Some(number) = results.statement.filter(|_| is_own) {
                        self.registry.update(number, Arc::clone(&columns));
                    }
                    results.step = self.after_definitions(Some(columns));
                }
            }
            ResultStep::DefinitionsEnd(columns) => {
                let columns = columns.take();
                self.single(payload)?;
                if self.status.has_cursor() {
                    return Ok(self.after_result(results));
                }
                // The end of such a result does not say that the procedure's own follows.
                results.more = self.status.is_out_parameters() && self.status.has_more_results();
                results.step = ResultStep::Rows(columns);
            }
            ResultStep::Rows(_) => {
                if !self.is_end(payload) {
                    return Err(Malformed("end of a result"));
                }
                self.single(payload)?;
                return Ok(self.after_result(results));
            }
        }
        Ok(Answer::Goes)
    }

    /// Whether a prepared statement has rows of its own.
    fn has_rows(&self, statement: Option<u32>) -> bool {
        let columns = statement.and_then(|number| self.registry.columns(number));
        columns.is_some_and(|columns| !columns.list.is_empty())
    }

    fn after_definitions(&self, columns: Option<Arc<Columns>>) -> ResultStep {
        match self.deprecates_eof() {
            true => ResultStep::Rows(columns),
            false => ResultStep::DefinitionsEnd(columns),
        }
    }

    /// LOAD DATA LOCAL.
    fn file_wanted(&self, step: &mut ResultStep, withheld: bool) -> Result<Answer, Malformed> {
        if !self.capabilities.has(Capabilities::LOCAL_FILES) {
            return Err(Malformed("no request for a file"));
        }
        if withheld {
            return Ok(Answer::RefusesFile);
        }
        if !self.is_alone {
            // The server takes what is on its way for the file.
            return Err(Malformed(
                "no request for a file with commands on their way",
            ));
        }
        *step = ResultStep::File;
        Ok(Answer::Goes)
    }

    /// The number of columns, and whether their definitions follow. (MySQL's documentation has the two in the other order;
    /// its server and its client library do not.)
    fn head(&mut self, statement: Option<u32>, payload: &[u8]) -> Result<ResultStep, Malformed> {
        const OPTIONAL: [Capabilities; 2] = [
            Capabilities::OPTIONAL_RESULTSET_METADATA,
            Capabilities::MARIADB_CACHE_METADATA,
        ];
        let mut reader = Reader::new(payload);
        let count = lenenc::integer(&mut reader, "number of columns")?;
        let count = usize::try_from(count).map_err(|_| Malformed("number of columns"))?;
        let is_optional = OPTIONAL.into_iter().any(|flag| self.capabilities.has(flag));
        let follow = !is_optional || reader.u8("whether definitions follow")? != 0;
        if count == 0 {
            return Err(Malformed("number of columns"));
        }
        Ok(match follow {
            true => ResultStep::Definitions(count, Columns::default()),
            false => {
                let known = statement.and_then(|number| self.registry.columns(number));
                self.after_definitions(known.cloned())
            }
        })
    }

    /// Takes the next definition of a result.
    fn definition(
        &mut self,
        payload: &[u8],
        columns: &mut Columns,
        plan: Option<&Plan>,
        statement: usize,
    ) -> Result<(), Malformed> {
        let definition = Column::read(payload, self.capabilities)?;
        let Some(mapping) = self.mapping else {
            columns.push(&definition, None);
            return Ok(());
        };
        let planned = plan.and_then(|plan| plan.results(statement));
        let planned = planned.and_then(|results| results.setting(columns.list.len()));
        let setting = mapping.setting(&definition, planned);
        let setting = setting.cloned();
        if let Some(setting) = &setting
            && let Some(shown) = mapping.shown(setting, &definition)
        {
            let mut replaced = Vec::with_capacity(payload.len() + 8);
            shown.write(&mut replaced, self.capabilities);
            self.replaced = Some(replaced);
        }
        columns.push(&definition, setting);
        Ok(())
    }

    fn prepared(
        &mut self,
        step: &mut PrepareStep,
        plan: &Arc<Plan>,
        choices: &Choices,
        payload: &[u8],
    ) -> Result<Answer, Malformed> {
        match step {
            PrepareStep::Head => {
                let prepared = Prepared::read(payload, self.capabilities)?;
                let end = usize::from(!self.deprecates_eof());
                let packets = |count: usize| match count {
                    0 => 0,
                    _ if !prepared.has_definitions => 0,
                    count => count + end,
                };
                let ahead = ColumnsAhead {
                    statement: prepared.statement,
                    left: packets(prepared.columns),
                    ends: end > 0,
                    parameters: prepared.parameters,
                    columns: Columns::default(),
                };
                *step = PrepareStep::Definitions(packets(prepared.parameters), ahead);
            }
            PrepareStep::Definitions(left, _) if *left > 0 => *left -= 1,
            PrepareStep::Definitions(_, ahead) => {
                if ahead.left > 1 || !ahead.ends {
                    self.definition(payload, &mut ahead.columns, Some(plan), 0)?;
                }
                ahead.left -= 1;
            }
        }
        let PrepareStep::Definitions(0, ahead) = step else {
            return Ok(Answer::Goes);
        };
        if ahead.left > 0 {
            return Ok(Answer::Goes);
        }
        let columns = Arc::new(std::mem::take(&mut ahead.columns));
        let statement = Statement {
            plan: Some(Arc::clone(plan)),
            columns,
            choices: choices.clone(),
            outline: None,
            parameters: ahead.parameters,
            types: Vec::new(),
            parts: BTreeMap::new(),
        };
        self.registry.add(ahead.statement, statement);
        Ok(Answer::Ends)
    }
}
