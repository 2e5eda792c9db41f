-- What sysbench's oltp_point_select and oltp_read_only ask, for columns to be chosen: rows by their key, and with
-- --transactions ten of them, a range and a sum in a transaction. Ranges that sort by a column or take its distinct values
-- are left out: a database cannot do either with what is encrypted.

sysbench.cmdline.options = {
   table = {"Table", "sb0"},
   columns = {"Columns to read", "c"},
   rows = {"Rows of the table", 1000},
   transactions = {"Whether queries come in transactions of twelve", false}
}

local RANGE = 100
local INT = sysbench.sql.type.INT

local function prepare(con, condition, what, parameters)
   local statement = con:prepare(string.format("SELECT %s FROM %s WHERE %s", what, sysbench.opt.table, condition))
   local values = {}
   for i = 1, parameters do
      values[i] = statement:bind_create(INT)
   end
   statement:bind_param(unpack(values))
   return {statement = statement, values = values}
end

function thread_init()
   con = sysbench.sql.driver():connect()
   point = prepare(con, "id = ?", sysbench.opt.columns, 1)
   if sysbench.opt.transactions then
      range = prepare(con, "id BETWEEN ? AND ?", sysbench.opt.columns, 2)
      sum = prepare(con, "id BETWEEN ? AND ?", "SUM(k)", 2)
   end
end

function thread_done()
   con:disconnect()
end

local function run(query, ...)
   for i, value in ipairs({...}) do
      query.values[i]:set(value)
   end
   query.statement:execute()
end

function event()
   if not sysbench.opt.transactions then
      run(point, math.random(sysbench.opt.rows))
      return
   end
   con:query("BEGIN")
   for _ = 1, 10 do
      run(point, math.random(sysbench.opt.rows))
   end
   local first = math.random(sysbench.opt.rows - RANGE)
   run(range, first, first + RANGE - 1)
   run(sum, first, first + RANGE - 1)
   con:query("COMMIT")
end
