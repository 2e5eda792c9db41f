"""What a Python driver does: session.py DRIVER PORT USER PASSWORD [CA]. Prints what it has read.

DRIVER is pymysql, mysqlclient, connector-python or connector-c; with "+zlib" it compresses. With a CA the connection is encrypted.
"""

import datetime
import sys
import tempfile

driver, port, user, password = sys.argv[1:5]
driver, _, compression = driver.partition("+")
ca = sys.argv[5] if len(sys.argv) > 5 else None
address = {"host": "127.0.0.1", "port": int(port), "user": user, "password": password, "database": "test"}
# Ten seconds, as they are for some drivers, pass on a slow machine.
address["connect_timeout"] = 120


def connect():
    if driver == "pymysql":
        import pymysql

        flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
        ssl = {"ca": ca} if ca else None
        return pymysql.connect(**address, local_infile=True, client_flag=flag, ssl=ssl, ssl_disabled=not ca)
    if driver == "mysqlclient":
        import MySQLdb

        more = {"ssl": {"ca": ca}} if ca else {"ssl_mode": "DISABLED"}
        if compression:
            more["compress"] = True
        return MySQLdb.connect(**address, local_infile=1, **more)
    import mysql.connector

    more = {"ssl_ca": ca} if ca else {"ssl_disabled": True}
    if compression:
        more["compress"] = True
    return mysql.connector.connect(**address, use_pure=driver == "connector-python", allow_local_infile=True, **more)


def show(rows):
    for row in rows:
        print(*(repr(value) for value in row), sep="|")


connection = connect()
cursor = connection.cursor()
cursor.execute("SELECT USER()")
show(cursor.fetchall())
cursor.execute(
    "CREATE TEMPORARY TABLE v (id INT PRIMARY KEY AUTO_INCREMENT, t VARCHAR(100), b BLOB, d DOUBLE, n DECIMAL(20, 3), "
    "w DATETIME(6), l TIME, y YEAR, j JSON, u BIGINT UNSIGNED, i TINYINT, f FLOAT)"
)
insert = (
    "INSERT INTO v (t, b, d, n, w, l, y, j, u, i, f) VALUES (%s, %s, %s, %s, %s, '-12:34:56', 2020, '[1, 2]', "
    "18446744073709551615, -1, 1.5)"
)
moment = datetime.datetime(2020, 1, 2, 3, 4, 5, 678000)
for values in [("text äöü", b"\0\1\xff", 0.1234567890123, "1.250", moment), ("", b"", -1e300, "0", None), (None,) * 5]:
    cursor.execute(insert, values)
print("inserted", cursor.rowcount, cursor.lastrowid)
cursor.execute("SELECT * FROM v ORDER BY id")
show(cursor.fetchall())
if driver.startswith("connector"):
    prepared = connection.cursor(prepared=True)
    for value in [1, 2, 3, 1]:
        prepared.execute("SELECT id, t, b, d, n, w, u, i, f FROM v WHERE id = %s OR t = %s", (value, "x" * 300))
        show(prepared.fetchall())
    prepared.close()
with tempfile.NamedTemporaryFile("w") as file:
    file.writelines(f"line {number}\n" for number in range(500))
    file.flush()
    cursor.execute(f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE v (t)")
print("loaded", cursor.rowcount)
try:
    cursor.execute("SELECT nothing_of_this_name")
except Exception as error:
    print(type(error).__name__, *error.args[:1])
cursor.execute("SELECT REPEAT('x', 5000), t FROM v ORDER BY id LIMIT 3")
show((len(text), other) for text, other in cursor.fetchall())
connection.commit()
if driver.startswith("connector"):
    connection.reset_session()
    connection.ping()
elif driver == "mysqlclient":
    cursor.execute("SELECT 1; SELECT 2, 3; DO 1; SELECT 'last'")
    while True:
        show(cursor.fetchall())
        if not cursor.nextset():
            break
    connection.change_user("test", "", "test")
else:
    cursor.execute("SELECT 1; SELECT 2, 3; DO 1; SELECT 'last'")
    while True:
        show(cursor.fetchall())
        if not cursor.nextset():
            break
    connection.ping()
cursor = connection.cursor()
cursor.execute("SELECT DATABASE(), USER()")
show(cursor.fetchall())
connection.close()
