// JDBC drivers of MariaDB and MySQL: `java -cp DRIVER.jar MySqlMembers.java URL MARK`. Every secret has the mark; the code knows
// nothing of what protects it.

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.Arrays;

class MySqlMembers {
    static final String COLUMNS = "email, nick, card, age, visits, born, seen, active, photo, code, paid, plain";
    static final String INSERT = "INSERT INTO members (" + COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    static final String SELECT = "SELECT id, " + COLUMNS + " FROM members ";

    static String mark;
    static Connection connection;

    public static void main(String[] arguments) throws Exception {
        mark = arguments[1];
        try (Connection opened = DriverManager.getConnection(arguments[0])) {
            connection = opened;
            write();
            read();
            change();
            describe();
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

    static void bind(PreparedStatement statement, int n) throws SQLException {
        statement.setString(1, email(n));
        statement.setString(2, mark + " nick " + n);
        statement.setString(3, mark + " 4111 " + String.format("%04d", n));
        statement.setInt(4, n - 5);
        statement.setLong(5, ((long) n << 40) - 1);
        statement.setDate(6, java.sql.Date.valueOf(LocalDate.of(1960, 1, 1).plusDays(n)));
        statement.setTimestamp(7, java.sql.Timestamp.valueOf(LocalDateTime.of(2024, 2, 29, 12, n % 60)));
        statement.setBoolean(8, n % 2 == 0);
        if (n % 3 == 0) {
            // In parts, where statements are prepared by the server.
            statement.setBinaryStream(9, new java.io.ByteArrayInputStream(photo(n)));
        } else {
            statement.setBytes(9, photo(n));
        }
        statement.setInt(10, n * 1000);
        statement.setBigDecimal(11, BigDecimal.valueOf(n * 25L, 2));
        statement.setString(12, "plain " + n);
    }

    static void same(ResultSet row, int n) throws SQLException {
        check(email(n), row.getString("email"));
        check(mark + " nick " + n, row.getString("nick"));
        check(mark + " 4111 " + String.format("%04d", n), row.getString("card"));
        check(n - 5, row.getInt("age"));
        check(n - 5, row.getObject("age"));
        check(((long) n << 40) - 1, row.getLong("visits"));
        check(LocalDate.of(1960, 1, 1).plusDays(n), row.getDate("born").toLocalDate());
        check(LocalDateTime.of(2024, 2, 29, 12, n % 60), row.getTimestamp("seen").toLocalDateTime());
        check(n % 2 == 0, row.getBoolean("active"));
        check(true, Arrays.equals(photo(n), row.getBytes("photo")));
        check(n * 1000, row.getInt("code"));
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
            set(statement, values);
            try (ResultSet row = statement.executeQuery()) {
                check(true, row.next());
                same(row, n);
                check(false, row.next());
            }
        }
    }

    static int update(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            set(statement, values);
            return statement.executeUpdate();
        }
    }

    static void set(PreparedStatement statement, Object... values) throws SQLException {
        for (int at = 0; at < values.length; at++) {
            statement.setObject(at + 1, values[at]);
        }
    }

    static void write() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT, Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 1; n <= 3; n++) {
                bind(statement, n);
                check(1, statement.executeUpdate());
                try (ResultSet keys = statement.getGeneratedKeys()) {
                    check(true, keys.next());
                    check(n, keys.getInt(1));
                }
            }
            // A batch of equal rows, and one in which values are missing.
            for (int n = 4; n <= 20; n++) {
                bind(statement, n);
                statement.addBatch();
            }
            check(17, statement.executeBatch().length);
        }
        String set = "INSERT INTO members SET " + COLUMNS.replace(",", " = ?,") + " = ?";
        try (PreparedStatement statement = connection.prepareStatement(set)) {
            for (int n = 21; n <= 24; n++) {
                bind(statement, n);
                check(1, statement.executeUpdate());
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.addBatch("INSERT INTO members (email, age) VALUES ('" + mark + " batch 1', 1), (NULL, NULL)");
            statement.addBatch("UPDATE members SET age = 2 WHERE email = '" + mark + " batch 1'");
            statement.addBatch("DELETE FROM members WHERE age IS NULL");
            int[] counts = statement.executeBatch();
            check(1, counts[1]);
            check(1, counts[2]);
            check(1, statement.executeUpdate("DELETE FROM members WHERE email = '" + mark + " batch 1'"));
        }
    }

    static void read() throws SQLException {
        for (int n : new int[] {1, 2, 3, 9, 20, 24}) {
            one(n, "WHERE email = ?", email(n));
            one(n, "WHERE email = ? AND code = ?", email(n), n * 1000);
            one(n, "WHERE nick = ?", mark + " nick " + n);
            one(n, "WHERE code = ? OR email IN (?, ?)", n * 1000, "none", email(n));
            one(n, "WHERE id = ?", n);
        }
        try (PreparedStatement statement = connection.prepareStatement(SELECT + "WHERE id <= ? ORDER BY id")) {
            for (int fetch : new int[] {0, 3}) {
                statement.setFetchSize(fetch);
                statement.setInt(1, 20);
                try (ResultSet rows = statement.executeQuery()) {
                    for (int n = 1; n <= 20; n++) {
                        check(true, rows.next());
                        same(rows, n);
                    }
                    check(false, rows.next());
                }
            }
        }
        try (Statement statement = connection.createStatement()) {
            boolean isResult = statement.execute(
                SELECT + "WHERE id = 2; UPDATE members SET plain = plain; " + SELECT + "WHERE email = '"
                    + email(3).replace("\\", "\\\\").replace("'", "\\'") + "'");
            check(true, isResult);
            try (ResultSet row = statement.getResultSet()) {
                row.next();
                same(row, 2);
            }
            check(false, statement.getMoreResults());
            check(true, statement.getMoreResults());
            try (ResultSet row = statement.getResultSet()) {
                row.next();
                same(row, 3);
            }
        }
        // A row that can be changed in place.
        try (Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
            ResultSet row = statement.executeQuery(SELECT + "WHERE id = 4")) {
            row.next();
            row.updateString("email", mark + " changed");
            row.updateInt("age", 77);
            row.updateRow();
        }
        check(1, update("UPDATE members SET email = ?, age = ? WHERE email = ? AND id = ?", email(4), -1, mark + " changed", 4));
        one(4, "WHERE email = ?", email(4));
    }

    static void change() throws SQLException {
        connection.setAutoCommit(false);
        check(1, update("UPDATE members SET email = ?, card = ?, photo = ? WHERE email = ?", email(50), null, new byte[0], email(5)));
        Savepoint here = connection.setSavepoint();
        check(1, update("DELETE FROM members WHERE email = ?", email(50)));
        connection.rollback(here);
        try (PreparedStatement statement = connection.prepareStatement("SELECT email, card, photo FROM members WHERE id = ?")) {
            statement.setInt(1, 5);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                check(email(50), row.getString(1));
                check(true, row.getString(2) == null && row.wasNull());
                check(0, row.getBytes(3).length);
            }
        }
        connection.rollback();
        one(5, "WHERE email = ?", email(5));
        connection.setAutoCommit(true);
        String upsert = INSERT.replace("(email", "(id, email").replace("VALUES (", "VALUES (?, ")
            + " ON DUPLICATE KEY UPDATE card = VALUES(card), age = VALUES(age)";
        try (PreparedStatement statement = connection.prepareStatement(upsert)) {
            for (int id : new int[] {6, 60}) {
                statement.setInt(1, id);
                for (int at = 2; at <= 13; at++) {
                    statement.setNull(at, Types.VARCHAR);
                }
                statement.setString(4, mark + " 4111 new");
                statement.setInt(5, -9);
                statement.addBatch();
            }
            statement.executeBatch();
        }
        check(2, update("UPDATE members SET age = ? WHERE card IS NOT NULL AND id IN (6, 60)", 1));
        check(1, update("DELETE FROM members WHERE id = ?", 60));
        check(1, update("UPDATE members SET card = ?, age = ? WHERE id = 6", mark + " 4111 0006", 1));
        one(6, "WHERE email = ?", email(6));
    }

    /** What the driver says of columns is what an application was written for. */
    static void describe() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SELECT + "WHERE id = 1");
            ResultSet row = statement.executeQuery()) {
            ResultSetMetaData columns = row.getMetaData();
            check(13, columns.getColumnCount());
            check("email", columns.getColumnName(2));
            check(Types.INTEGER, columns.getColumnType(5));
            check(Types.BIGINT, columns.getColumnType(6));
            check(Types.DATE, columns.getColumnType(7));
            check(Types.INTEGER, columns.getColumnType(11));
        }
        check(true, connection.isValid(5));
    }
}
