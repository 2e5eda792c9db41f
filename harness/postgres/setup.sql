-- The users of pg_hba.conf; every password is "secret".
CREATE ROLE scram_user LOGIN PASSWORD 'secret';
CREATE ROLE password_user LOGIN PASSWORD 'secret';
SET password_encryption = 'md5';
CREATE ROLE md5_user LOGIN PASSWORD 'secret';
