"""What PostgreSQL's own grammar says of statements: where constants and parameters go.

Reads statements separated by NUL from the standard input and writes a line of tab-separated items for each:

    -                        not of the grammar
    named                    a protected table is named
    set AT PARAM COLUMN HOW  what is written at byte AT reaches a protected column, `plain` or `computed`
    use AT PARAM             it is also used for something else
    compare AT PARAM COLUMN  it is compared with a protected column
    test AT PARAM            at AT is asked whether it is NULL, and nothing else
    unsure WHY               where something goes depends on what a text does not tell

PARAM is `-` for a constant, else `K:N`: parameter N of the text (K = 0) or of the K-th statement that it prepares.
The arguments are tables: `schema.name:column,...:protected,...`, without `schema.` where any will do and with no columns where
they are not known. The parser is libpg_query by way of the package pgparse (both BSD-3-Clause); scripts/setup.sh has
the version. Names are resolved here, in ways that owe nothing to the engine's.
"""

import sys

import pgparse

QUERIES = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


class Table:
    def __init__(self, text):
        name, columns, protected = text.split(":")
        self.schema, _, self.name = name.rpartition(".")
        self.key = name
        self.protected = protected.split(",")
        self.known = columns.split(",") if columns else None


class Source:
    """What FROM has under one name: columns with what flows into them, and whether there may be more of them."""

    def __init__(self, name, columns, more=False, schema=""):
        self.name, self.columns, self.more, self.schema = name, columns, more, schema

    def get(self, name):
        found = [flows for column, flows in self.columns if column == name]
        return frozenset().union(*found) if found else None


class Scope:
    def __init__(self, parent=None, sources=(), queries=None):
        self.parent, self.sources = parent, list(sources)
        self.queries = dict(parent.queries) if parent and queries is None else dict(queries or {})


def computed(flows):
    return frozenset((origin, False) for origin, _ in flows)


def kind(node):
    """A node of the tree is an object with one member, its kind."""
    return next(iter(node.items())) if len(node) == 1 else (None, node)


def strings(nodes):
    return [node["String"].get("sval", "") for node in nodes or () if "String" in node]


class Reader:
    """Reads one text."""

    def __init__(self, tables):
        self.tables = tables
        self.items = {}
        self.prepared = 0
        self.space = 0
        self.defines = False
        self.placed = set()

    def note(self, *item):
        self.items[" ".join(str(field).replace(" ", "_") for field in item)] = None

    # Sinks: where values end.

    def use(self, flows):
        for origin, _ in flows:
            if origin[0] != "column":
                self.note("use", *origin[1:])

    def compare(self, left, right):
        # A value that stands in the place of a column, as in CASE or UNION ALL, is compared like the column.
        instead = [frozenset(flow for flow in side if flow[1]) for side in (left, right)]
        for one, other in ((left, right), (right, left), *((side, side) for side in instead)):
            for column, _ in one:
                for origin, _ in other:
                    if column[0] == "column" and origin[0] != "column":
                        self.note("compare", *origin[1:], column[1])

    def assign(self, table, column, flows):
        if table is None or column not in table.protected:
            return self.use(flows)
        for origin, plain in flows:
            if origin[0] != "column":
                self.placed.add(origin)
                self.note("set", *origin[1:], f"{table.key}.{column}", "plain" if plain else "computed")

    # Names.

    def table(self, relation):
        for table in self.tables:
            schema = relation.get("schemaname", "")
            if table.name == relation["relname"] and (not table.schema or schema in ("", table.schema)):
                return table
        return None

    def columns_of(self, table):
        """The columns of a table, and whether there may be more."""
        if table is None:
            return [], True
        protected = {
            name: frozenset([(("column", f"{table.key}.{name}"), True)]) for name in table.protected
        }
        names = table.known if table.known is not None else table.protected
        return [(name, protected.get(name, frozenset())) for name in names], table.known is None

    def renamed(self, columns, more, names):
        if more and names:
            # Any of the names may be that of any column.
            flows = frozenset().union(*(flows for _, flows in columns)) if columns else frozenset()
            return [(name, flows) for name in names] + columns
        return [(name, flows) for name, (_, flows) in zip(names, columns)] + columns[len(names) :]

    def relation(self, relation, scope):
        schema, name = relation.get("schemaname", ""), relation["relname"]
        alias = relation.get("alias", {})
        if not schema and name in scope.queries:
            columns, more = scope.queries[name]
        else:
            columns, more = self.columns_of(self.table(relation))
        columns = self.renamed(columns, more, strings(alias.get("colnames")))
        return Source(alias.get("aliasname", name), columns, more, "" if alias else schema)

    def resolve(self, reference, scope):
        fields = reference["fields"]
        star = "A_Star" in fields[-1]
        names = strings(fields)
        level = scope
        while level is not None:
            if len(names) == 1 and not star:
                found = [source.get(names[0]) for source in level.sources]
                found = [flows for flows in found if flows is not None]
                if found:
                    return frozenset().union(*found)
                if any(source.name == names[0] for source in level.sources):
                    return computed(self.whole(names, level))
            elif any(self.fits(source, names if star else names[:-1]) for source in level.sources):
                if star:
                    return computed(self.whole(names, level))
                for source in level.sources:
                    if self.fits(source, names[:-1]):
                        flows = source.get(names[-1])
                        if flows is not None:
                            return flows
                return frozenset()
            level = level.parent
        return frozenset()

    @staticmethod
    def fits(source, names):
        return bool(names) and source.name == names[-1] and (len(names) == 1 or source.schema in ("", names[-2]))

    def whole(self, names, level):
        found = [
            flows for source in level.sources if self.fits(source, names) for _, flows in source.columns
        ]
        return frozenset().union(*found) if found else frozenset()

    # Expressions.

    def value(self, node, scope):
        """What an expression's value may come from."""
        if isinstance(node, list):
            found = [self.value(item, scope) for item in node]
            return frozenset().union(*found) if found else frozenset()
        if not isinstance(node, dict) or not node:
            return frozenset()
        name, body = kind(node)
        handler = getattr(self, f"of_{name}", None)
        if handler:
            return handler(body, scope)
        if name in QUERIES:
            columns, _ = self.query(name, body, scope)
            return computed(frozenset().union(*(flows for _, flows in columns)) if columns else frozenset())
        children = node.values() if name is None else body.values() if isinstance(body, dict) else [body]
        found = [self.value(child, scope) for child in children if isinstance(child, (dict, list))]
        flows = computed(frozenset().union(*found) if found else frozenset())
        self.use(flows)
        return flows

    def of_A_Const(self, body, scope):
        place = body.get("location", 0)
        # Some constants are made by the grammar and nowhere in the text.
        if "isnull" in body or place < 0:
            return frozenset()
        return frozenset([(("constant", place, "-"), True)])

    def of_ParamRef(self, body, scope):
        number = f"{self.space}:{body.get('number', 0)}"
        return frozenset([(("parameter", body.get("location", 0), number), True)])

    def of_ColumnRef(self, body, scope):
        return self.resolve(body, scope)

    def of_SetToDefault(self, body, scope):
        return frozenset()

    def of_TypeName(self, body, scope):
        return frozenset()

    def of_TypeCast(self, body, scope):
        return self.value(body.get("arg"), scope)

    def of_CollateClause(self, body, scope):
        return self.value(body.get("arg"), scope)

    def of_CoalesceExpr(self, body, scope):
        return self.value(body.get("args", []), scope)

    def of_CaseExpr(self, body, scope):
        subject = self.value(body.get("arg"), scope)
        self.use(subject)
        flows = self.value(body.get("defresult"), scope)
        conditions = frozenset()
        for when in body.get("args", []):
            when = when["CaseWhen"]
            conditions |= self.value(when.get("expr"), scope)
            flows |= self.value(when.get("result"), scope)
        self.use(conditions)
        self.compare(subject, conditions)
        if subject:
            # What one value is compared with is written in the same way.
            self.compare(conditions, conditions)
        return flows

    def of_NullTest(self, body, scope):
        # What is sealed is NULL where the value is. A parameter that is itself tested is a use for `walk`.
        tested = body.get("arg", {})
        while "TypeCast" in tested:
            tested = tested["TypeCast"]["arg"]
        if "ParamRef" in tested:
            [(origin, _)] = self.of_ParamRef(tested["ParamRef"], scope)
            self.note("test", *origin[1:])
        self.value(body.get("arg"), scope)
        return frozenset()

    def elements(self, node, scope):
        """What any element of an array may come from."""
        name, body = kind(node)
        if name == "TypeCast":
            return self.elements(body["arg"], scope)
        if name == "A_ArrayExpr":
            return self.value(body.get("elements", []), scope)
        flows = self.value(node, scope)
        if name not in ("ParamRef", "A_Const"):
            self.use(flows)
            return computed(flows)
        return flows

    def of_FuncCall(self, body, scope):
        arguments = body.get("args", [])
        if strings(body["funcname"]) == ["unnest"] and len(arguments) == 1:
            return self.elements(arguments[0], scope)
        if strings(body["funcname"])[-1] == "like_escape":
            # LIKE … ESCAPE: the character is not compared.
            pattern, escape = body["args"]
            self.use(self.value(escape, scope))
            return self.value(pattern, scope)
        flows = computed(self.value(list(body.values()), scope))
        self.use(flows)
        # A number of values tells nothing of them.
        counts = strings(body["funcname"]) == ["count"] and not body.get("agg_distinct")
        return frozenset() if counts else flows

    def of_A_Expr(self, body, scope):
        left, right = body.get("lexpr", {}), body.get("rexpr", {})
        pairs = [(left, right)]
        if "RowExpr" in left and "RowExpr" in right:
            pairs = list(zip(left["RowExpr"].get("args", []), right["RowExpr"].get("args", [])))
        if "RowExpr" in left and "List" in right:
            # Rows that rows of another length are among are an error, but not of the grammar.
            rows = [row.get("RowExpr", {}).get("args", [row]) for row in right["List"].get("items", [])]
            pairs = [pair for row in rows for pair in zip(left["RowExpr"].get("args", []), row)]
        flows = frozenset()
        for left, right in pairs:
            left, right = self.value(left, scope), self.value(right, scope)
            self.compare(left, right)
            if body.get("kind") in ("AEXPR_IN", "AEXPR_OP_ANY", "AEXPR_OP_ALL"):
                self.compare(right, right)
            flows |= left | right
        self.use(flows)
        if body.get("kind") != "AEXPR_OP" or strings(body.get("name"))[-1] in ("=", "<>", "<", ">", "<=", ">="):
            # True or false, whatever is compared.
            flows = frozenset(flow for flow in flows if flow[0][0] != "column")
        return computed(flows)

    def of_SubLink(self, body, scope):
        if self.defines:
            # An error wherever tables and indexes are defined, but not of the grammar.
            return frozenset()
        name, query = kind(body["subselect"])
        columns, more = self.query(name, query, scope)
        which = body.get("subLinkType")
        first = columns[0][1] if columns else frozenset()
        if which == "EXPR_SUBLINK":
            # More than one column is an error, but not of the grammar.
            return frozenset().union(*(flows for _, flows in columns)) if columns else first
        if which in ("ANY_SUBLINK", "ALL_SUBLINK"):
            tested = body.get("testexpr", {})
            parts = tested["RowExpr"].get("args", []) if "RowExpr" in tested else [tested]
            results = [flows for _, flows in columns] or [first]
            if more or len(parts) != len(results):
                results = [frozenset().union(*results)] * len(parts)
            for part, result in zip(parts, results):
                part = self.value(part, scope)
                self.compare(part, result)
                self.use(part | result)
        elif which != "EXISTS_SUBLINK":
            self.use(first)
            return computed(first)
        return frozenset()

    # FROM.

    def sources(self, nodes, scope):
        """Adds what FROM has to a scope."""
        for node in nodes:
            scope.sources += self.source(node, scope)

    def source(self, node, scope):
        name, body = kind(node)
        alias = body.get("alias", {})
        names = strings(alias.get("colnames"))
        if name == "RangeVar":
            return [self.relation(body, scope)]
        if name == "RangeSubselect":
            around = scope if body.get("lateral") else Scope(scope.parent, (), scope.queries)
            query, of = kind(body["subquery"])
            columns, more = self.query(query, of, around)
            return [Source(alias.get("aliasname", ""), self.renamed(columns, more, names), more)]
        if name == "RangeTableSample":
            self.use(self.value(body.get("args", []), scope))
            return self.source(body["relation"], scope)
        if name == "JoinExpr":
            return self.join(body, scope, alias, names)
        if name == "RangeFunction":
            spread = self.unnest(body, alias.get("aliasname"), names, scope)
            if spread:
                return [spread]
        flows = computed(self.value({k: v for k, v in body.items() if k != "alias"}, scope))
        self.use(flows)
        title = alias.get("aliasname", "")
        return [Source(title, [(column, flows) for column in names or [title]], not names)]

    def unnest(self, body, title, names, scope):
        """Arrays side by side; None for other functions."""
        function = body["functions"][0]["List"]["items"][0].get("FuncCall", {})
        if body.get("is_rowsfrom") or strings(function.get("funcname")) != ["unnest"]:
            return None
        arrays = function.get("args", [])
        own = title if title and len(arrays) == 1 else "unnest"
        columns = [(own, self.elements(array, scope)) for array in arrays]
        if body.get("ordinality"):
            columns.append(("ordinality", frozenset()))
        return Source(title or "unnest", self.renamed(columns, False, names))

    def join(self, body, scope, alias, names):
        left = self.source(body["larg"], scope)
        inner = Scope(scope.parent, scope.sources + left, scope.queries)
        right = self.source(body["rarg"], inner)
        inner.sources += right
        self.use(self.value(body.get("quals"), inner))
        shared = strings(body.get("usingClause"))
        sides = [[column for source in side for column in source.columns] for side in (left, right)]
        if body.get("isNatural"):
            more = any(source.more for source in left + right)
            there = [{name for name, _ in side} for side in sides]
            shared = there[0] | there[1] if more else there[0] & there[1]
        for column in shared:
            one, other = (
                frozenset().union(*[flows for name, flows in side if name == column]) for side in sides
            )
            self.compare(one, other)
            self.use(one | other)
        if not alias:
            return left + right
        more = any(source.more for source in left + right)
        return [Source(alias["aliasname"], self.renamed(sides[0] + sides[1], more, names), more)]

    # Queries: each gives its columns, and whether there may be more.

    def query(self, name, body, parent):
        scope = Scope(parent)
        self.with_clause(body.get("withClause", {}), scope)
        return getattr(self, f"query_{name}")(body, scope)

    def with_clause(self, clause, scope):
        ctes = [node["CommonTableExpr"] for node in clause.get("ctes", [])]
        rounds = 1
        if clause.get("recursive"):
            # What flows around is found by going round until nothing new can come.
            rounds = 2 + len(ctes)
            for cte in ctes:
                scope.queries[cte["ctename"]] = ([], False)
        for _ in range(rounds):
            for cte in ctes:
                name, query = kind(cte["ctequery"])
                columns, more = self.query(name, query, scope)
                names = strings(cte.get("aliascolnames"))
                scope.queries[cte["ctename"]] = (self.renamed(columns, more, names), more)
                for clause_name in ("search_clause", "cycle_clause"):
                    if clause_name in cte:
                        self.note("unsure", clause_name)

    def targets(self, nodes, scope):
        columns, more = [], False
        for node in nodes:
            target = node["ResTarget"]
            expression = target.get("val", {})
            reference = expression.get("ColumnRef")
            if reference and "A_Star" in reference["fields"][-1]:
                names = strings(reference["fields"])
                for source in scope.sources:
                    if not names or self.fits(source, names):
                        columns += source.columns
                        more |= source.more
                continue
            columns.append((target.get("name") or self.title(expression), self.value(expression, scope)))
        return columns, more

    def title(self, expression):
        name, body = kind(expression) if expression else (None, {})
        if name == "ColumnRef":
            return (strings(body["fields"]) or [""])[-1]
        if name == "FuncCall":
            return strings(body["funcname"])[-1]
        if name in ("TypeCast", "CollateClause"):
            return self.title(body.get("arg", {}))
        if name == "SubLink" and "SelectStmt" in body["subselect"]:
            targets = body["subselect"]["SelectStmt"].get("targetList", [])
            first = targets[0]["ResTarget"] if targets else {}
            return first.get("name") or self.title(first.get("val", {}))
        return {"CoalesceExpr": "coalesce", "CaseExpr": "case"}.get(name, "?column?")

    def query_SelectStmt(self, body, scope):
        operation = body.get("op", "SETOP_NONE")
        if operation != "SETOP_NONE":
            left, more_left = self.query("SelectStmt", body["larg"], scope)
            right, more_right = self.query("SelectStmt", body["rarg"], scope)
            more = more_left or more_right
            if more:
                every = frozenset().union(*(flows for _, flows in left + right))
                columns = [(name, every) for name, _ in left]
            else:
                columns = [(name, one | other) for (name, one), (_, other) in zip(left, right)]
            if not (operation == "SETOP_UNION" and body.get("all")):
                for _, flows in columns:
                    self.compare(flows, flows)
                    self.use(flows)
        elif "valuesLists" in body:
            rows = [
                [self.value(item, scope) for item in row["List"].get("items", [])] for row in body["valuesLists"]
            ]
            width = max(len(row) for row in rows)
            columns = [
                (f"column{at + 1}", frozenset().union(*(row[at] for row in rows if at < len(row))))
                for at in range(width)
            ]
            more = False
        else:
            self.sources(body.get("fromClause", []), scope)
            columns, more = self.targets(body.get("targetList", []), scope)
        if "distinctClause" in body:
            every = [node for node in body["distinctClause"] if node]
            self.use(self.value(every, scope))
            if not every:
                for _, flows in columns:
                    self.use(flows)
        self.order(body, columns, scope)
        for clause in ("whereClause", "havingClause", "windowClause"):
            self.use(self.value(body.get(clause), scope))
        for clause in ("limitCount", "limitOffset"):
            # No column of the query itself may be in it.
            self.use(self.value(body.get(clause), Scope(scope.parent, (), scope.queries)))
        if "intoClause" in body:
            self.into(body["intoClause"], columns)
        return columns, more

    def order(self, body, columns, scope):
        keys = [node["SortBy"].get("node", {}) for node in body.get("sortClause", [])]
        for key in keys + body.get("groupClause", []):
            place = key.get("A_Const", {}).get("ival", {}).get("ival")
            fields = strings(key.get("ColumnRef", {}).get("fields"))
            named = [flows for name, flows in columns if fields == [name]]
            if place is not None:
                self.use(columns[place - 1][1] if 0 < place <= len(columns) else ())
            elif named:
                self.use(frozenset().union(*named))
            else:
                self.use(self.value(key, scope))

    def into(self, clause, columns):
        table = self.table(clause["rel"])
        columns = self.renamed(columns, False, strings(clause.get("colNames")))
        for name, flows in columns:
            self.assign(table, name, computed(flows))

    def query_InsertStmt(self, body, scope):
        relation = body["relation"]
        table = self.table(relation)
        columns, more = [], False
        if "selectStmt" in body:
            columns, more = self.query("SelectStmt", body["selectStmt"]["SelectStmt"], scope)
        names = self.target_names(body.get("cols"), table)
        inserted = self.store(table, names, [flows for _, flows in columns], more)
        own, unknown = self.columns_of(table)
        conflict = body.get("onConflictClause")
        target = Source(relation.get("alias", {}).get("aliasname", relation["relname"]), own, unknown)
        if conflict:
            # What a protected column is to get is there as it will be stored.
            sealed = {name: flows for name, flows in own if table and name in table.protected}
            excluded = Source("excluded", [(name, sealed.get(name, flows)) for name, flows in inserted], True)
            # A name alone that both have is an error.
            inner = Scope(Scope(scope, [excluded]), [target])
            self.use(self.value(conflict.get("infer"), Scope(scope, [target])))
            self.set_list(table, conflict.get("targetList", []), inner)
            self.use(self.value(conflict.get("whereClause"), inner))
        return self.returning(body, Scope(scope, [target]))

    def target_names(self, nodes, table):
        """The columns that values go to, or none where that is not known; an element of a column is none of them."""
        if nodes is None:
            return table.known if table else []
        return [
            (node["ResTarget"]["name"], "indirection" in node["ResTarget"]) for node in nodes
        ]

    def store(self, table, names, values, more):
        if table is None:
            self.use(frozenset().union(*values) if values else frozenset())
            return []
        if values and (names is None or more):
            self.note("unsure", "star")
            return []
        stored = []
        for name, flows in zip(names or [], values):
            name, part = name if isinstance(name, tuple) else (name, False)
            self.assign(table, name, computed(flows) if part else flows)
            stored.append((name, flows))
        for flows in values[len(names or []) :]:
            self.use(flows)
        return stored

    def set_list(self, table, nodes, scope):
        for node in nodes:
            target = node["ResTarget"]
            expression = target.get("val", {})
            multiple = expression.get("MultiAssignRef")
            if multiple:
                flows = self.part(multiple, scope)
            else:
                flows = self.value(expression, scope)
            self.assign(table, target["name"], computed(flows) if "indirection" in target else flows)

    def part(self, multiple, scope):
        """What a column of `SET (a, b) = ...` gets."""
        at = multiple.get("colno", 1) - 1
        name, source = kind(multiple.get("source", {}))
        if name == "RowExpr":
            items = source.get("args", [])
            return self.value(items[at], scope) if at < len(items) else frozenset()
        if name == "SubLink":
            query, body = kind(source["subselect"])
            columns, more = self.query(query, body, scope)
            if more:
                self.note("unsure", "star")
                return frozenset()
            return columns[at][1] if at < len(columns) else frozenset()
        flows = self.value(multiple.get("source", {}), scope)
        return flows if multiple.get("ncolumns") == 1 else computed(flows)

    def query_UpdateStmt(self, body, scope):
        target = self.relation(body["relation"], Scope())
        scope.sources.append(target)
        self.sources(body.get("fromClause", []), scope)
        self.set_list(self.table(body["relation"]), body.get("targetList", []), scope)
        self.use(self.value(body.get("whereClause"), scope))
        return self.returning(body, scope)

    def query_DeleteStmt(self, body, scope):
        scope.sources.append(self.relation(body["relation"], Scope()))
        self.sources(body.get("usingClause", []), scope)
        self.use(self.value(body.get("whereClause"), scope))
        return self.returning(body, scope)

    def query_MergeStmt(self, body, scope):
        table = self.table(body["relation"])
        source = self.source(body["sourceRelation"], scope)
        target = self.relation(body["relation"], Scope())
        scope.sources += [target, *source]
        self.use(self.value(body.get("joinCondition"), scope))
        for node in body.get("mergeWhenClauses", []):
            clause = node["MergeWhenClause"]
            self.use(self.value(clause.get("condition"), scope))
            if clause.get("commandType") == "CMD_UPDATE":
                self.set_list(table, clause.get("targetList", []), scope)
            elif clause.get("commandType") == "CMD_INSERT":
                # Only the source is seen by the values of INSERT.
                values = [self.value(item, scope) for item in clause.get("values", [])]
                names = self.target_names(clause.get("targetList"), table)
                self.store(table, names, values, False)
        return self.returning(body, scope)

    def returning(self, body, scope):
        return self.targets(body.get("returningList", []), scope)

    # Statements.

    def statement(self, name, body):
        if name in QUERIES:
            columns, _ = self.query(name, body, Scope())
            for _, flows in columns:
                self.use(flows)
        elif name == "PrepareStmt":
            self.prepared += 1
            self.space = self.prepared
            self.statement(*kind(body["query"]))
            self.space = 0
        elif name in ("ExplainStmt", "DeclareCursorStmt", "ViewStmt", "CopyStmt"):
            if "query" in body:
                self.statement(*kind(body["query"]))
        elif name == "CreateTableAsStmt":
            query, of = kind(body["query"])
            if query in QUERIES:
                columns, _ = self.query(query, of, Scope())
                self.into(body["into"], columns)
        elif name == "ExecuteStmt":
            if body.get("params"):
                self.note("unsure", "the parameters of what is executed")
        elif name in ("CreateStmt", "AlterTableStmt", "IndexStmt") and "relation" in body:
            self.defines = True
            self.definition(body)
            self.defines = False
        elif name in ("RuleStmt", "CreatePolicyStmt", "AlterPolicyStmt", "CreateTrigStmt", "DoStmt", "CreateFunctionStmt"):
            self.note("unsure", name)

    def definition(self, body):
        table = self.table(body["relation"])
        columns, more = self.columns_of(table)
        scope = Scope(None, [Source(body["relation"]["relname"], columns, more)])
        nodes = body.get("tableElts", []) + [
            {"ColumnDef": {"colname": command["name"], "raw_default": command["def"]}}
            if command.get("subtype") == "AT_ColumnDefault" and "def" in command
            else command.get("def", {})
            for command in (node.get("AlterTableCmd", {}) for node in body.get("cmds", []))
        ]
        for node in nodes:
            column = node.get("ColumnDef", {})
            defaults = [column.get("raw_default")]
            checks = [node] if "Constraint" in node else column.get("constraints", [])
            for constraint in (check["Constraint"] for check in checks):
                if constraint.get("contype") == "CONSTR_DEFAULT":
                    defaults.append(constraint.get("raw_expr"))
                else:
                    self.use(self.value(constraint.get("raw_expr"), scope))
            for default in defaults:
                self.assign(table, column.get("colname"), self.value(default, scope))
        self.use(self.value([body.get("whereClause"), body.get("indexParams")], scope))

    def walk(self, node):
        """Tables and parameters wherever they are, so that none is missed for being in a place not thought of."""
        if isinstance(node, list):
            for item in node:
                self.walk(item)
        elif isinstance(node, dict):
            if "relname" in node and self.table(node):
                self.note("named")
            if "ParamRef" in node:
                [(origin, _)] = self.of_ParamRef(node["ParamRef"], None)
                if origin not in self.placed:
                    self.note("use", *origin[1:])
            for item in node.values():
                self.walk(item)

    def read(self, text):
        for statement in pgparse.parse(text):
            before = self.prepared
            name, body = kind(statement["stmt"])
            self.statement(name, body)
            self.space = self.prepared if self.prepared > before else 0
            self.walk(body)
            self.space = 0
        return "\t".join(["ok", *self.items])


def main():
    tables = [Table(text) for text in sys.argv[1:]]
    for text in sys.stdin.buffer.read().decode().split("\0"):
        try:
            line = Reader(tables).read(text)
        except pgparse.PGQueryError:
            line = "-"
        sys.stdout.write(line + "\n")


main()
