//! `FROM`, `USING` and what is joined.

use super::reader::{Reader, without};
use super::tree::{Alias, From, Join, Relation};
use super::{FOREIGN, NoFacts};
use sqlparser::ast::{JoinConstraint, JoinOperator, TableFactor, TableWithJoins};

impl Reader<'_> {
    pub(super) fn from(&mut self, from: &[TableWithJoins]) -> Result<Vec<From>, NoFacts> {
        from.iter().map(|from| self.joined(from)).collect()
    }

    fn joined(&mut self, from: &TableWithJoins) -> Result<From, NoFacts> {
        let first = self.relation(&from.relation)?;
        let mut joins = Vec::with_capacity(from.joins.len());
        for join in &from.joins {
            without(join.global, FOREIGN)?;
            let constraint = match &join.join_operator {
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint)
                | JoinOperator::CrossJoin(constraint) => constraint,
                _ => return Err(NoFacts::Form("a join that PostgreSQL does not have")),
            };
            let relation = self.relation(&join.relation)?;
            let how = match constraint {
                JoinConstraint::On(condition) => Join::On(self.operands(condition)?),
                JoinConstraint::None => Join::On(Vec::new()),
                JoinConstraint::Natural => Join::Natural,
                JoinConstraint::Using(names) => {
                    let mut columns = Vec::with_capacity(names.len());
                    for name in names {
                        columns.extend(self.parts(name)?);
                    }
                    Join::Using(columns)
                }
            };
            joins.push((relation, how));
        }
        Ok(From { first, joins })
    }

    pub(super) fn relation(&mut self, factor: &TableFactor) -> Result<Relation, NoFacts> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality: _,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                without(
                    !with_hints.is_empty()
                        || version.is_some()
                        || !partitions.is_empty()
                        || json_path.is_some()
                        || !index_hints.is_empty(),
                    FOREIGN,
                )?;
                // What chooses the rows of a sample sees no columns.
                let mut operands = self.operands(sample)?;
                let table = self.table(name)?;
                let alias = self.alias(alias.as_ref())?;
                let Some(args) = args else {
                    return Ok(Relation::Table(table, alias));
                };
                without(args.settings.is_some(), FOREIGN)?;
                operands.extend(self.operands(&args.args)?);
                let alias = alias.unwrap_or(Alias {
                    name: table.table,
                    columns: Vec::new(),
                });
                let alias = Some(alias);
                Ok(Relation::Function { operands, alias })
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                sample,
            } => {
                without(sample.is_some(), FOREIGN)?;
                Ok(Relation::Derived {
                    lateral: *lateral,
                    query: Box::new(self.query(subquery)?),
                    alias: self.alias(alias.as_ref())?,
                })
            }
            TableFactor::Function {
                lateral: _,
                name,
                args,
                with_ordinality: _,
                alias,
            } => {
                let function = self.table(name)?.table;
                let operands = self.operands(args)?;
                let alias = self.alias(alias.as_ref())?.unwrap_or(Alias {
                    name: function,
                    columns: Vec::new(),
                });
                let alias = Some(alias);
                Ok(Relation::Function { operands, alias })
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset,
                with_offset_alias,
                with_ordinality: _,
            } => {
                without(*with_offset || with_offset_alias.is_some(), FOREIGN)?;
                let operands = self.operands(array_exprs)?;
                let alias = self.alias(alias.as_ref())?;
                Ok(Relation::Function { operands, alias })
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                let from = self.joined(table_with_joins)?;
                Ok(Relation::Joined(
                    Box::new(from),
                    self.alias(alias.as_ref())?,
                ))
            }
            TableFactor::TableFunction { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::XmlTable { .. } => {
                Err(NoFacts::Form("JSON_TABLE, XMLTABLE or TABLE ()"))
            }
            TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::SemanticView { .. } => Err(FOREIGN),
        }
    }
}
