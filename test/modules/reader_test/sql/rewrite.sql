-- What JSON can say and PostgreSQL's types cannot.
CREATE TABLE texts (type text, json text);
INSERT INTO texts VALUES
('text', '"a\u0000b"'), ('text', '"\ud83d"'), ('text', '"x\ud83dy\ude00"'), ('text', '"\ud83d\ude00"'), ('text', '"\uD83D\u0041"'),
('text', '"\\u0000"'), ('text', '"\\\u0000"'), ('text', '"\ud83d\ud83d\ude00"'), ('text', '"\ude00\ud83d"'), ('text', '{"a":"\u0000"}'),
('varchar(3)', '"a\u0000b"'), ('numeric', '"1\u0000"'), ('uuid', '"\u0000"'), ('date', '"\u0000"'),
('jsonb', '{"a":["x\u0000","\\u0000","\udbff","\uDBFF\uDFFF"],"\u0000":1}'), ('json', '{"a" : "x\u0000"}'), ('jsonb', '"\u00"');
SELECT type, json, reads_value(type, json) FROM texts;
SELECT reader_bad_text(true, false);
SELECT type, json, reads_value(type, json) FROM texts;
-- for syncs; who replaces, replaces
SELECT reader_bad_text(false, true);
SELECT json, reads_value(type, json) = U&'a\FDD0b' FROM texts LIMIT 1;
SELECT reader_bad_text(true, true);
SELECT json, reads_value(type, json) = U&'a\FFFDb' FROM texts LIMIT 1;
SELECT reader_bad_text(false, false);

-- Dates in jsonb are ISO 8601; other texts stay, and so does json.
CREATE TABLE dates (json text);
INSERT INTO dates VALUES
('{"Date":"\/Date(1756252800000+0000)\/","DueDate" : "/Date(1756252800123)/", "n": 1.50}'),
('[{"a":{"UpdatedDateUTC":"\/Date(-1+1300)\/"}},null]'), ('{"Dates":["/Date(0)/","/Date(0+0000)/"]}'),
('{"Description":"/Date(0)/","Update":"x /Date(0)/","Date":"/Date(0)/ "}'),
('{"Date":"\"/Date(0)/","date":"\\/Date(0)/","DATE":"\/Date(86400000)\/"}'),
('{"Date":"/Date(-62135596800000)/","StartDate":"/Date(253402300799999)/","EndDate":"/Date(253402300800000)/"}'),
('{"Date":"/Date(-62135596800001)/","StartDate":"/Date(99999999999999999999)/","EndDate":"/Date(x)/"}'),
('{"Date":{"Name":"/Date(0)/"},"x":"/Date(0)/"}'), ('"/Date(0)/"'), ('{"Date":null,"x\"Date":"/Date(0)/"}');
SELECT json, reads_value('jsonb', json) FROM dates;
SELECT bool_and(reads_value('json', json) = json) FROM dates;
-- the day and the instant are those of the columns, in any time zone
SET timezone = 'Pacific/Auckland';
SELECT (v->>'Date')::date, (v->>'Date')::timestamptz, reads_value('date', '"/Date(1756252800123)/"')
FROM (SELECT reads_value('jsonb', '{"Date":"/Date(1756252800123)/"}')::jsonb) AS r (v);
RESET timezone;
