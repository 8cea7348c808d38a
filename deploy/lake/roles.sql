-- The catalog's database and its two roles, once, by a superuser in psql; the passwords are in the environment.
-- orb records and builds; CREATEDB, because a backup is opened in a database of its own. orb_reader reads.
\set ON_ERROR_STOP on
\getenv writer_password LAKE_WRITER_PASSWORD
\getenv reader_password LAKE_READER_PASSWORD

create role orb login createdb password :'writer_password';
create role orb_reader login password :'reader_password';
alter role orb_reader set default_transaction_read_only = on;

create database lake owner orb;
-- DuckLake tells a lost race by the error's English words.
alter database lake set lc_messages = 'C';
revoke all on database lake from public;
grant connect on database lake to orb_reader;

\connect lake
alter schema public owner to orb;
grant usage on schema public to orb_reader;
alter default privileges for role orb in schema public grant select on tables to orb_reader;
