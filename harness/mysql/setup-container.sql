-- The user of tests with a MariaDB container of their own, who may do everything without a password.
CREATE USER test@'%';
GRANT ALL ON *.* TO test@'%' WITH GRANT OPTION;
