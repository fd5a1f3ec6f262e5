-- The session's time zone and date style have no say.
SET timezone = 'Pacific/Auckland';
SET datestyle = 'SQL, DMY';
CREATE TABLE given (n serial, json text);
INSERT INTO given (json) VALUES
('"/Date(1439434356790)/"'), ('"\/Date(1439434356790+0000)\/"'), ('"/Date(1439434356790+1300)/"'), ('"/Date(1439434356790-0800)/"'),
('"/Date(0+0000)/"'), ('"/Date(-1)/"'), ('"/Date(-1642464000000+0000)/"'), ('"\u002fDate(0)/"'),
('"2018-10-20"'), ('"2018-10-20T00:00:00"'), ('"2018-10-20T23:59:59.9999999"'), ('"2018-10-20T16:31:30Z"'), ('"2018-10-20T16:31:30.1234567Z"'),
('"2020-02-06T23:17:43.202-08:00"'), ('"2020-02-06T01:17:43+1300"'), ('"2020-02-06T01:17+13"'), ('"2018-10-20 16:31:30"'),
('"2020-02-29"'), ('"2019-02-29"'), ('"2018-13-01"'), ('"2018-10-20T24:00:00"'), ('"0001-01-01T00:00:00"'), ('"9999-12-31T23:59:59"'),
('""'), ('null'), ('"abc"'), ('"20/10/2018"'), ('"2018-10-20T"'), ('"2018-10-20x"'), ('"2018-10-20T16:31:30.Z"'), ('"2018-10-20T16:31:30Z "'), ('1439434356790'), ('{}'),
('"/Date()/"'), ('"/Date(1)"'), ('"/Date(1+00)/"'), ('"/Date(1)/ "'), ('"/Date(1'),
('"/Date(9223372036854775807)/"'), ('"/Date(-9223372036854775808)/"'), ('"/Date(99999999999999999999)/"'), ('"/Date(10000000000000000)/"');
DELETE FROM given WHERE json = '"/Date(1';
SET datestyle = 'ISO, DMY';
SELECT json, reads_value('date', json) FROM given ORDER BY n;
SET timezone = 'UTC';
SELECT json, reads_value('timestamptz', json) FROM given ORDER BY n;
SELECT reads_value('timestamp', '"/Date(1439434356790)/"'), reads_value('timestamp(1)', '"/Date(1439434356790)/"'),
	   reads_value('timestamptz(0)', '"2018-10-20T16:31:30.5Z"'), reads_value('text', '"\/Date(0+0000)\/"');
SET timezone = 'Pacific/Auckland';
SET datestyle = 'SQL, DMY';
SELECT reads_value('date', '"2018-10-20T00:00:00"'), reads_value('timestamptz', '"2018-10-20T00:00:00"'), reads_value('date', '"/Date(1539993600000)/"');
