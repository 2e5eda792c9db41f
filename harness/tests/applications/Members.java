// pgjdbc: `java -cp postgresql.jar Members.java URL MARK`. Every secret has the mark; the code knows nothing of what protects it.

import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

class Members {
    static final String COLUMNS = "email, nick, card, age, visits, born, seen, active, photo, code, key, paid, plain";
    static final String INSERT = "INSERT INTO members (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?::bytea, ?, ?, ?, ?)";
    static final String SELECT = "SELECT id, " + COLUMNS + " FROM members ";

    static String mark;
    static boolean simple;
    static Connection connection;

    public static void main(String[] arguments) throws Exception {
        mark = arguments[1];
        simple = arguments[0].contains("preferQueryMode=simple");
        try (Connection opened = DriverManager.getConnection(arguments[0])) {
            connection = opened;
            write();
            read();
            arrays();
            change();
            copy();
            if (!simple) {
                describe();
            }
        }
        System.out.println("all of it done");
    }

    static String email(int n) {
        return mark + "-" + n + "-\u0436\\'@example.org";
    }

    static byte[] photo(int n) {
        byte[] bytes = (mark + "....").getBytes();
        bytes[mark.length()] = 0;
        bytes[mark.length() + 1] = (byte) 255;
        bytes[mark.length() + 2] = '\\';
        bytes[mark.length() + 3] = (byte) n;
        return bytes;
    }

    static OffsetDateTime seen(int n) {
        return OffsetDateTime.of(2024, 2, 29, 12, n % 60, 1, 5000, ZoneOffset.UTC);
    }

    static void bind(PreparedStatement statement, int n) throws SQLException {
        statement.setString(1, email(n));
        statement.setString(2, mark + " nick " + n);
        statement.setString(3, mark + " 4111 " + n);
        statement.setInt(4, n - 5);
        statement.setLong(5, ((long) n << 40) - 1);
        // The second form of each in every other row: it is of a type that the driver leaves to the server.
        if (n % 2 == 0) {
            statement.setObject(6, LocalDate.of(1960, 1, 1).plusDays(n));
            statement.setObject(7, seen(n));
        } else {
            statement.setDate(6, java.sql.Date.valueOf(LocalDate.of(1960, 1, 1).plusDays(n)));
            statement.setTimestamp(7, java.sql.Timestamp.from(seen(n).toInstant()));
        }
        statement.setBoolean(8, n % 2 == 0);
        if (simple) {
            // The driver cannot write bytes into a statement.
            statement.setString(9, "\\x" + HexFormat.of().formatHex(photo(n)));
        } else {
            statement.setBytes(9, photo(n));
        }
        statement.setInt(10, n * 1000);
        statement.setObject(11, new UUID(n, n));
        statement.setBigDecimal(12, BigDecimal.valueOf(n * 25L, 2));
        statement.setString(13, "plain " + n);
    }

    static void same(ResultSet row, int n) throws SQLException {
        check(email(n), row.getString("email"));
        check(mark + " nick " + n, row.getString("nick"));
        check(mark + " 4111 " + n, row.getString("card"));
        check(n - 5, row.getInt("age"));
        check(((long) n << 40) - 1, row.getLong("visits"));
        check(LocalDate.of(1960, 1, 1).plusDays(n), row.getObject("born", LocalDate.class));
        check(java.sql.Date.valueOf(LocalDate.of(1960, 1, 1).plusDays(n)), row.getDate("born"));
        check(seen(n).toInstant(), row.getTimestamp("seen").toInstant());
        check(seen(n), row.getObject("seen", OffsetDateTime.class).withOffsetSameInstant(ZoneOffset.UTC));
        check(n % 2 == 0, row.getBoolean("active"));
        check(true, Arrays.equals(photo(n), row.getBytes("photo")));
        check(n * 1000, row.getInt("code"));
        check(new UUID(n, n), row.getObject("key", UUID.class));
        check(0, BigDecimal.valueOf(n * 25L, 2).compareTo(row.getBigDecimal("paid")));
        check("plain " + n, row.getString("plain"));
    }

    static void check(Object expected, Object found) {
        if (!expected.equals(found)) {
            throw new AssertionError("expected " + expected + ", found " + found);
        }
    }

    static void one(int n, String where, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SELECT + where)) {
            for (int at = 0; at < values.length; at++) {
                statement.setObject(at + 1, values[at]);
            }
            try (ResultSet row = statement.executeQuery()) {
                check(true, row.next());
                same(row, n);
                check(false, row.next());
            }
        }
    }

    static int update(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int at = 0; at < values.length; at++) {
                statement.setObject(at + 1, values[at]);
            }
            return statement.executeUpdate();
        }
    }

    static void write() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
            for (int n = 1; n <= 4; n++) {
                bind(statement, n);
                check(1, statement.executeUpdate());
            }
            for (int n = 5; n <= 45; n++) {
                bind(statement, n);
                statement.addBatch();
            }
            check(41, statement.executeBatch().length);
        }
        try (PreparedStatement statement = connection.prepareStatement(INSERT, Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 46; n <= 60; n++) {
                bind(statement, n);
                statement.addBatch();
            }
            statement.executeBatch();
            try (ResultSet keys = statement.getGeneratedKeys()) {
                for (int n = 46; n <= 60; n++) {
                    check(true, keys.next());
                    check(n, keys.getInt("id"));
                    same(keys, n);
                }
            }
        }
        try (PreparedStatement statement = connection.prepareStatement(INSERT, new String[] {"id", "email"})) {
            bind(statement, 61);
            statement.executeUpdate();
            try (ResultSet keys = statement.getGeneratedKeys()) {
                check(true, keys.next());
                check(email(61), keys.getString("email"));
            }
        }
        // Nothing of a batch is kept whose key fails.
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO members (id, email, code) VALUES (?, ?, ?)")) {
            for (int n : new int[] {900, 1}) {
                statement.setInt(1, n);
                statement.setString(2, email(n));
                statement.setInt(3, n);
                statement.addBatch();
            }
            connection.setAutoCommit(false);
            statement.executeBatch();
            throw new AssertionError("a key is there twice");
        } catch (BatchUpdateException error) {
            check("23505", error.getSQLState());
            connection.rollback();
        }
        connection.setAutoCommit(true);
        try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
            bind(statement, 62);
            int[] types = {Types.VARCHAR, Types.VARCHAR, Types.VARCHAR, Types.INTEGER, Types.BIGINT, Types.DATE,
                Types.TIMESTAMP_WITH_TIMEZONE, Types.BOOLEAN, Types.BINARY, Types.INTEGER, Types.OTHER, Types.NUMERIC, Types.VARCHAR};
            for (int at = 0; at < types.length; at++) {
                statement.setNull(at + 1, types[at]);
            }
            statement.executeUpdate();
        }
        try (ResultSet row = connection.createStatement().executeQuery(SELECT + "WHERE email IS NULL AND code IS NULL AND age IS NULL")) {
            check(true, row.next());
            for (int at = 2; at <= 14; at++) {
                check("nothing", String.valueOf(row.getString(at)).replace("null", "nothing"));
            }
        }
        check(1, update("DELETE FROM members WHERE email IS NULL"));
    }

    static void read() throws SQLException {
        // The server's prepared statements are used after some runs, with results in binary.
        for (int run = 0; run < 8; run++) {
            one(7, "WHERE email = ?", email(7));
            one(7, "WHERE nick = ? AND code = ?", mark + " nick 7", 7000);
            one(8, "WHERE email IN (?, ?) AND id = ?", email(8), email(9), 8);
        }
        try (PreparedStatement statement = connection.prepareStatement(SELECT + "WHERE email = ? OR code = ? ORDER BY id")) {
            for (int n = 1; n < 20; n++) {
                statement.setString(1, email(n));
                statement.setLong(2, n * 1000L);
                try (ResultSet row = statement.executeQuery()) {
                    check(true, row.next());
                    same(row, n);
                    check(false, row.next());
                }
            }
        }
        // A cursor.
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement(SELECT + "WHERE id < ? ORDER BY id")) {
            statement.setFetchSize(7);
            statement.setInt(1, 40);
            ResultSet row = statement.executeQuery();
            for (int n = 1; n < 40; n++) {
                check(true, row.next());
                same(row, n);
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    static void arrays() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT count(*) FROM members WHERE email = ANY (?) OR code = ANY (?)")) {
            for (int run = 0; run < 7; run++) {
                statement.setArray(1, connection.createArrayOf("text", new String[] {email(1), email(2), "none", null}));
                statement.setArray(2, connection.createArrayOf("int4", new Integer[] {1000, 9000}));
                ResultSet row = statement.executeQuery();
                check(true, row.next());
                check(3, row.getInt(1));
            }
        }
        String insert = "INSERT INTO members (id, email, nick, code) SELECT * FROM unnest(?::int[], ?::text[], ?::varchar[], ?::int[])";
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            statement.setArray(1, connection.createArrayOf("int4", new Integer[] {801, 802}));
            statement.setArray(2, connection.createArrayOf("text", new String[] {email(801), null}));
            statement.setArray(3, connection.createArrayOf("varchar", new String[] {mark + " nick 801", ""}));
            statement.setArray(4, connection.createArrayOf("int4", new Integer[] {801, 802}));
            check(2, statement.executeUpdate());
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM members WHERE email = ? AND nick = ? AND code = ?")) {
            statement.setString(1, email(801));
            statement.setString(2, mark + " nick 801");
            statement.setInt(3, 801);
            ResultSet row = statement.executeQuery();
            check(true, row.next());
            check(801, row.getInt(1));
        }
        check(2, update("DELETE FROM members WHERE id > 800"));
    }

    static void change() throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("UPDATE members SET email = ?, age = ?, paid = ?, active = ?, code = ? WHERE nick = ?")) {
            for (int n : new int[] {10, 11}) {
                statement.setString(1, email(n + 100));
                statement.setInt(2, n + 95);
                statement.setBigDecimal(3, new BigDecimal("1.50"));
                statement.setNull(4, Types.BOOLEAN);
                statement.setInt(5, n + 100000);
                statement.setString(6, mark + " nick " + n);
                statement.addBatch();
            }
            check(2, statement.executeBatch().length);
        }
        Savepoint before = connection.setSavepoint();
        check(1, update("DELETE FROM members WHERE email = ?", email(110)));
        try {
            connection.createStatement().executeQuery("SELECT id FROM members ORDER BY email");
            throw new AssertionError("it was not refused");
        } catch (SQLException error) {
            check("0A000", error.getSQLState());
        }
        connection.rollback(before);
        try (ResultSet row = connection.createStatement().executeQuery("SELECT age, paid, active FROM members WHERE code = 100010")) {
            check(true, row.next());
            check(105, row.getInt(1));
            check("1.50", row.getString(2));
            check(false, row.getBoolean(3));
            check(true, row.wasNull());
        }
        connection.rollback();
        connection.setAutoCommit(true);
        one(10, "WHERE id = ?", 10);
        check(1, update("UPDATE members SET age = ?, key = ?, born = ? WHERE code = ?", 6, new UUID(11, 11), LocalDate.of(1960, 1, 12), 11000));
        one(11, "WHERE id = ?", 11);
        // A result whose rows are changed in place.
        try (Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
            ResultSet row = statement.executeQuery("SELECT id, email, age, code FROM members WHERE id IN (12, 13) ORDER BY id")) {
            check(true, row.next());
            row.updateString("email", email(112));
            row.updateInt("age", 112);
            row.updateInt("code", 112);
            row.updateRow();
            check(email(112), row.getString("email"));
        }
        check(1, update("UPDATE members SET email = ?, age = ?, code = ? WHERE email = ? AND code = 112", email(12), 7, 12000, email(112)));
        one(12, "WHERE id = ?", 12);
    }

    static void copy() throws Exception {
        CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
        StringWriter out = new StringWriter();
        check(61L, copies.copyOut("COPY (SELECT * FROM members ORDER BY id) TO STDOUT WITH (FORMAT csv)", out));
        check(true, out.toString().contains(email(33)));
        check(61, update("DELETE FROM members"));
        check(61L, copies.copyIn("COPY members FROM STDIN WITH (FORMAT csv)", new StringReader(out.toString())));
        for (int n = 1; n <= 61; n++) {
            one(n, "WHERE id = ?", n);
        }
        one(33, "WHERE email = ?", email(33));
        one(33, "WHERE code = ?", 33000);
    }

    static void describe() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SELECT + "WHERE email = ? AND code = ?")) {
            StringBuilder types = new StringBuilder();
            for (int at = 2; at <= 14; at++) {
                types.append(statement.getMetaData().getColumnTypeName(at)).append(' ');
            }
            check("text varchar text int4 int8 date timestamptz bool bytea int4 uuid numeric varchar ", types.toString());
            check("int4", statement.getParameterMetaData().getParameterTypeName(2));
        }
    }
}
