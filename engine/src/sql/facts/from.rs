//! `FROM`, `USING` and what is joined.

use super::reader::{Reader, without};
use super::tree::{Alias, From, Join, Relation};
use super::{FOREIGN, NoFacts};
use sqlparser::ast::{
    JoinConstraint, JoinOperator, JsonTableColumn, JsonTableColumnErrorHandling,
    JsonTableNamedColumn, TableFactor, TableWithJoins, XmlTableColumn, XmlTableColumnOption,
};

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
                _ => return Err(NoFacts::Form("a join that the database does not have")),
            };
            let relation = self.relation(&join.relation)?;
            let how = match constraint {
                JoinConstraint::On(condition) => Join::On(self.operands(condition)?),
                JoinConstraint::None => Join::On(Vec::new()),
                JoinConstraint::Natural => Join::Natural(self.natural(&relation)),
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
                with_ordinality,
            } => {
                without(*with_offset || with_offset_alias.is_some(), FOREIGN)?;
                let elements = array_exprs.iter().map(|array| self.element(array));
                Ok(Relation::Unnest {
                    elements: elements.collect::<Result<_, _>>()?,
                    ordinality: *with_ordinality,
                    alias: self.alias(alias.as_ref())?,
                })
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
            TableFactor::JsonTable {
                json_expr,
                json_path,
                columns,
                alias,
            } => {
                let operands = self.operands(json_expr)?;
                self.literal(json_path)?;
                self.json_columns(columns)?;
                let alias = self.alias(alias.as_ref())?;
                Ok(Relation::Function { operands, alias })
            }
            TableFactor::XmlTable {
                namespaces,
                row_expression,
                passing,
                columns,
                alias,
            } => {
                let mut operands = self.operands(row_expression)?;
                for namespace in namespaces {
                    operands.extend(self.operands(&namespace.uri)?);
                    self.name(&namespace.name)?;
                }
                for argument in &passing.arguments {
                    without(argument.alias.is_some(), FOREIGN)?;
                    operands.extend(self.operands(&argument.expr)?);
                }
                for XmlTableColumn { name, option } in columns {
                    self.name(name)?;
                    if let XmlTableColumnOption::NamedInfo {
                        r#type,
                        path,
                        default,
                        nullable: _,
                    } = option
                    {
                        self.operands(r#type)?;
                        operands.extend(self.operands(path)?);
                        operands.extend(self.operands(default)?);
                    }
                }
                let alias = self.alias(alias.as_ref())?;
                Ok(Relation::Function { operands, alias })
            }
            TableFactor::TableFunction { .. } | TableFactor::OpenJsonTable { .. } => Err(FOREIGN),
            TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::SemanticView { .. } => Err(FOREIGN),
        }
    }

    /// The columns that `JSON_TABLE` makes: names, types, and paths and defaults that are literals.
    fn json_columns(&mut self, columns: &[JsonTableColumn]) -> Result<(), NoFacts> {
        for column in columns {
            match column {
                JsonTableColumn::ForOrdinality(name) => {
                    self.name(name)?;
                }
                JsonTableColumn::Nested(nested) => {
                    self.literal(&nested.path)?;
                    self.json_columns(&nested.columns)?;
                }
                JsonTableColumn::Named(JsonTableNamedColumn {
                    name,
                    r#type,
                    path,
                    exists: _,
                    on_empty,
                    on_error,
                }) => {
                    self.name(name)?;
                    self.operands(r#type)?;
                    self.literal(path)?;
                    for otherwise in [on_empty, on_error].into_iter().flatten() {
                        if let JsonTableColumnErrorHandling::Default(value) = otherwise {
                            self.literal(value)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
