SELECT fails('');
SELECT fails(' ');
SELECT fails('<!DOCTYPE html><html lang="en">');
SELECT fails('"text"');
SELECT fails('{"Rows":[{"ID":"\377"}]}');
SELECT fails('{"Rows":[{"ID":"a\000b"}]}');
SELECT fails('{"Rows":[{"ID":"a","V":}]}');
SELECT fails('{"Rows":[{"ID" "a"}]}');
SELECT fails('{"Rows":[{"ID":"a" "V":1}]}');
SELECT fails('{"Rows":[{ID:"a"}]}');
SELECT fails('{"Rows":[{"ID":"a",}]}');
SELECT fails('{"Rows":[{"ID":01}]}');
SELECT fails('{"Rows":[{"ID":"a]}');
SELECT fails('{"Rows":[{"ID":tru}]}');
SELECT fails('{"Rows":[{"X":{"a":[1,2}}}]}');
SELECT fails(convert_to(E'{"Rows":[{"ID":"a\nb"}]}', 'UTF8'));
-- nesting: 64 levels are read, 65 are not
SELECT fails(convert_to('{"Rows":[{"X":' || repeat('[', 61) || repeat(']', 61) || '}]}', 'UTF8'));
SELECT fails(convert_to('{"Rows":[{"X":' || repeat('[', 62) || repeat(']', 62) || '}]}', 'UTF8'));
SELECT fails(convert_to('{"Rows":[{"X":' || repeat('{"a":', 100000), 'UTF8'));

-- A page that is cut off anywhere ends in an error.
CREATE TABLE page AS SELECT convert_to(E'{\r\n  "Id": "x", "pagination": {"page": 1},\r\n  "Rows": [\r\n    {"ID": "a\\"b", "V": {"x": [1, 2, {"y": "z"}]}, "N": -1.5e3},\r\n    {"ID": "c", "V": null, "Lines": [ ] }\r\n  ], "More": true\r\n}', 'UTF8') AS body;
SELECT fails(body) FROM page;
SELECT count(*), count(*) FILTER (WHERE fails(substr(body, 1, n)) LIKE 'HV00L could not parse%')
FROM page, generate_series(0, length(body) - 1) n;
-- Damage anywhere is an error or not, but nothing else.
SELECT left(fails(set_byte(body, n, b)), 5) AS state
FROM page, generate_series(0, length(body) - 1) n, unnest('{0,34,92,123,125,91,93,44,255}'::int[]) b
GROUP BY 1 ORDER BY 1;
DROP TABLE page;
