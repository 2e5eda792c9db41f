// What MariaDB Connector/J does: `java -cp mariadb-java-client.jar Session.java URL`. Prints what it has read.

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.sql.Timestamp;

class Session {
    public static void main(String[] arguments) throws Exception {
        try (Connection connection = DriverManager.getConnection(arguments[0])) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE TEMPORARY TABLE java_values (id INT PRIMARY KEY AUTO_INCREMENT, "
                    + "text VARCHAR(100), bytes VARBINARY(100), real_number DOUBLE, moment DATETIME(6))");
            }
            String insert = "INSERT INTO java_values (text, bytes, real_number, moment) VALUES (?, ?, ?, ?)";
            try (PreparedStatement statement = connection.prepareStatement(insert)) {
                for (int row = 0; row < 20; row++) {
                    statement.setString(1, row % 3 == 0 ? null : "row " + row);
                    statement.setBytes(2, new byte[] {0, (byte) row, (byte) 0xff});
                    statement.setDouble(3, row / 7.0);
                    statement.setTimestamp(4, Timestamp.valueOf("2020-01-02 03:04:05.678"));
                    statement.addBatch();
                }
                System.out.println("inserted " + statement.executeBatch().length);
            }
            String select = "SELECT id, text, hex(bytes), real_number, moment FROM java_values WHERE id > ? ORDER BY id";
            try (PreparedStatement statement = connection.prepareStatement(select)) {
                for (int run = 0; run < 3; run++) {
                    statement.setFetchSize(run == 2 ? 3 : 0);
                    statement.setInt(1, run * 5);
                    print(statement.executeQuery());
                }
            }
            try (Statement statement = connection.createStatement()) {
                boolean isResult = statement.execute("SELECT 1; INSERT INTO java_values (text) VALUES ('x'); SELECT 'two', 3");
                while (isResult || statement.getUpdateCount() >= 0) {
                    if (isResult) {
                        print(statement.getResultSet());
                    } else {
                        System.out.println("updated " + statement.getUpdateCount());
                    }
                    isResult = statement.getMoreResults();
                }
                statement.execute("SELECT nothing_of_this_name");
            } catch (java.sql.SQLException error) {
                System.out.println("error " + error.getErrorCode() + " " + error.getSQLState());
            }
            System.out.println("valid " + connection.isValid(5));
        }
    }

    private static void print(ResultSet rows) throws Exception {
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
            StringBuilder line = new StringBuilder();
            for (int column = 1; column <= columns; column++) {
                line.append(column > 1 ? "|" : "").append(rows.getString(column));
            }
            System.out.println(line);
        }
    }
}
