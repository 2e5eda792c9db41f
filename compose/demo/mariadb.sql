-- Run once in a new database: the application's table. Encrypted columns are binary, tokenized ones keep their types.
CREATE TABLE customers (id INT PRIMARY KEY, name TEXT, ssn LONGBLOB, note LONGBLOB, mail VARCHAR(200));
