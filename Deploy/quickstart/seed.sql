-- The one table and row of Sentry's database that the proxy reads. The token is no secret: only the stand-in takes it.
CREATE TABLE sentry_option (key varchar(128) PRIMARY KEY, value text NOT NULL);
INSERT INTO sentry_option VALUES ('sentry:system-token', '"quickstart-token-that-only-the-stand-in-takes"');
