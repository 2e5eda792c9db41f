-- One statement a line. Users that tests log in as; `test` may do everything, without a password.
CREATE USER test@'%' IDENTIFIED WITH caching_sha2_password BY '';
GRANT ALL ON *.* TO test@'%' WITH GRANT OPTION;
CREATE USER caching@'%' IDENTIFIED WITH caching_sha2_password BY 'secret caching';
CREATE USER sha256@'%' IDENTIFIED WITH sha256_password BY 'secret sha256';
CREATE USER encrypted@'%' IDENTIFIED WITH caching_sha2_password BY 'secret encrypted' REQUIRE SSL;
GRANT ALL ON *.* TO caching@'%', sha256@'%', encrypted@'%';
CREATE DATABASE test;
