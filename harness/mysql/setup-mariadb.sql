-- One statement a line. Users that tests log in as; `test` may do everything, without a password.
CREATE USER test@'%';
GRANT ALL ON *.* TO test@'%' WITH GRANT OPTION;
CREATE USER native@'%' IDENTIFIED BY 'secret native';
INSTALL SONAME 'auth_ed25519';
CREATE USER ed25519@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret ed25519');
CREATE USER encrypted@'%' IDENTIFIED BY 'secret encrypted' REQUIRE SSL;
GRANT ALL ON *.* TO native@'%', ed25519@'%', encrypted@'%';
CREATE DATABASE test;
